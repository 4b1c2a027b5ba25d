// A proxy in front of an app that gives up on calls that take too long, as hosts of functions do.
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";

export interface ImpatientProxy {
  readonly port: number;
  /** Calls that it gave up. */
  readonly timeouts: () => number;
  close(): Promise<void>;
}

/**
 * Passes requests on to `appPort()`, with the host that was asked for, so that the app believes to
 * live here. After `patienceMs` it answers 504 itself and lets the app work on unheard.
 */
export async function startProxy(
  appPort: () => number,
  patienceMs: number,
): Promise<ImpatientProxy> {
  let timeouts = 0;
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing, appPort(), patienceMs, () => {
      timeouts += 1;
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    port: address.port,
    timeouts: () => timeouts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  patienceMs: number,
  givenUp: () => void,
): void {
  const onward = request({
    host: "127.0.0.1",
    port,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
  });
  const patience = setTimeout(() => {
    givenUp();
    outgoing.writeHead(504, { "content-type": "text/html" }).end("<h1>Gateway Timeout</h1>");
  }, patienceMs);
  onward.on("response", (answer) => {
    clearTimeout(patience);
    if (outgoing.headersSent) {
      answer.resume();
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on("error", () => {
    clearTimeout(patience);
    if (!outgoing.headersSent) outgoing.writeHead(502).end();
  });
  incoming.pipe(onward);
}
