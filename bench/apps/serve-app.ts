// The process around an app: serves a handler on a free loopback port, prints its URL as the first
// line, and ends when it is told to. It must not know which SDK made the handler.
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** `path`: where the SDK expects to be served. */
export function serveApp(handler: RequestListener, path: string): void {
  const server = createServer(handler);
  // Longer than any pause of a workload, so that no connection ends in the middle of one.
  server.keepAliveTimeout = 300_000;
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo; // proof: it listens on TCP
    console.log(`http://127.0.0.1:${port}${path}`);
  });
  process.on("SIGTERM", () => process.exit(0));
}
