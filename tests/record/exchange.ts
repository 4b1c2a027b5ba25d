// The two directions of a recording: requests that the recorder sends to an app, and requests that
// the app sends to the recorder, which answers as a server would. It must not know what is asked.
import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request and its reply, as they were sent. */
export interface Exchange {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Iterable<readonly [string, string]>;
    readonly body: string;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Iterable<readonly [string, string]>;
    readonly body: string;
  };
}

export interface Recorder {
  readonly origin: string;
  /** The status that checkpoints get from now on. */
  checkpointStatus: number;
  /** What apps have sent since the last time, in order of arrival. */
  take(): Exchange[];
  close(): void;
}

async function text(message: IncomingMessage): Promise<string> {
  message.setEncoding("utf8");
  let read = "";
  for await (const chunk of message) read += String(chunk);
  return read;
}

function replyTo(path: string, body: string, checkpointStatus: number): [number, unknown] {
  if (path.startsWith("/fn/register")) return [200, { ok: true, modified: true }];
  if (path.startsWith("/e/")) {
    const sent: unknown = JSON.parse(body);
    const count = Array.isArray(sent) ? sent.length : 1;
    const ids = Array.from({ length: count }, (_, i) => `01KAGW0000000000000000000${i + 1}`);
    return [200, { ids, status: 200 }];
  }
  if (path.startsWith("/v1/checkpoint/")) {
    const refused = { error: "stale dispatch", status: checkpointStatus };
    return [checkpointStatus, checkpointStatus < 300 ? {} : refused];
  }
  return [404, { error: "not found" }];
}

function rawHeaders(message: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < message.rawHeaders.length; i += 2) {
    pairs.push([message.rawHeaders[i] ?? "", message.rawHeaders[i + 1] ?? ""]);
  }
  return pairs;
}

/** Starts the server that apps take for theirs, on a free loopback port. */
export async function startRecorder(): Promise<Recorder> {
  const inbox: Exchange[] = [];
  const recorder = {
    origin: "",
    checkpointStatus: 200,
    take: () => inbox.splice(0),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const path = request.url ?? "";
    const [status, reply] = replyTo(path, body, recorder.checkpointStatus);
    const replyBody = JSON.stringify(reply);
    const headers: [string, string][] = [
      ["content-type", "application/json"],
      ["x-inngest-server-kind", "dev"],
    ];
    inbox.push({
      request: { method: request.method ?? "", path, headers: rawHeaders(request), body },
      response: { status, headers, body: replyBody },
    });
    response.writeHead(status, Object.fromEntries(headers)).end(replyBody);
  };
  const server: Server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(new Error(String(error))));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo; // proof: it listens on a TCP port
  recorder.origin = `http://127.0.0.1:${address.port}`;
  return recorder;
}

/** JSON with sorted members; equals RFC 8785 for the ASCII names and small numbers sent here. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}

/** `x-inngest-signature` of a request (protocol.md 3). */
export function signatureOf(body: string, key: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  const signed = body === "" ? "" : canonical(JSON.parse(body));
  const hmac = createHmac("sha256", key.replace(/^signkey-\w+-/, "")).update(`${signed}${seconds}`);
  return `t=${seconds}&s=${hmac.digest("hex")}`;
}

/** Sends one request to an app and reads the whole reply. */
export async function send(
  origin: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string,
): Promise<Exchange> {
  const response = await fetch(origin + path, {
    method,
    headers,
    ...(method === "GET" ? {} : { body }),
    signal: AbortSignal.timeout(30_000),
  });
  return {
    request: { method, path, headers: Object.entries(headers), body },
    response: { status: response.status, headers: response.headers, body: await response.text() },
  };
}
