// Where an adapter under test is reached: over a loopback socket, or by calling it with requests.
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { ServeOptions } from "pawl";

/** An app behind an adapter. */
export interface Site {
  /** Absolute, without query. */
  readonly url: string;
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Puts an app behind an adapter. */
export type StartSite = (options: ServeOptions) => Promise<Site>;

/** A site on a free port of the IPv4 loopback address, at `path`. */
export async function listen(listener: http.RequestListener, path = "/api/pawl"): Promise<Site> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: a TCP server that listens
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}${path}`, fetch, close };
}

/** A site without a socket, for handlers of requests. */
export function direct(handler: (request: Request) => Response | Promise<Response>): Site {
  return {
    url: "https://shop.example/api/pawl",
    fetch: async (request) => handler(request),
    close: () => Promise.resolve(),
  };
}
