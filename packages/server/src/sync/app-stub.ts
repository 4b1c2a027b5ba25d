// An app for tests: a small HTTP server that speaks the app's side of the protocol, as far as
// syncing and answering calls go.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fromJsonText } from "@pawl/protocol/json-text";
import { signResponse } from "@pawl/protocol/signature";
import { assertJson } from "@pawl/protocol/json-span";

/** How the stub answers a PUT: with its configuration, by registering itself, or with this. */
export type SyncManner =
  | "in_band"
  | "out_of_band"
  | { readonly status: number; readonly body: string; readonly sdk: boolean };

export interface CallReply {
  readonly status: number;
  readonly body: string;
}

export interface AppStub {
  readonly url: string;
  readonly port: number;
  manner: SyncManner;
  /** Expression of the trigger of its one function; undefined: none. */
  expression: string | undefined;
  /** Further options of its one function, as it registers them. */
  options: Readonly<Record<string, unknown>>;
  /** Where it registers when it does so out of band. */
  serverUrl: string;
  /** Extra headers of its registrations. */
  registerHeaders: Record<string, string>;
  /** Signs its answers; null: they are not signed. */
  signingKey: string | null;
  /** What it answers to calls. */
  answerCall: (body: unknown) => CallReply | Promise<CallReply>;
  /** Bodies of the calls it got. */
  readonly calls: unknown[];
  /** Their headers. */
  readonly headers: IncomingMessage["headers"][];
  /** PUTs it got. */
  readonly syncs: { readonly headers: IncomingMessage["headers"]; readonly body: string }[];
  close(): Promise<void>;
}

/** Starts an app with one function `<name>-greet`, triggered by `greet`. */
export async function startAppStub(name: string): Promise<AppStub> {
  const server = createServer((request, response) => void answer(stub, name, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: a TCP server that listens has one
  const stub: AppStub = {
    url: `http://127.0.0.1:${String(port)}/api/pawl`,
    port,
    manner: "in_band",
    expression: undefined,
    options: {},
    serverUrl: "",
    registerHeaders: {},
    signingKey: null,
    answerCall: () => ({ status: 200, body: '"hello"' }),
    calls: [],
    headers: [],
    syncs: [],
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;
}

async function answer(
  stub: AppStub,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await text(request);
  if (!(request.url ?? "").startsWith("/api/pawl")) return void response.writeHead(404).end();
  if (request.method === "PUT") {
    stub.syncs.push({ headers: request.headers, body });
    return sync(stub, name, response);
  }
  response.setHeader("x-inngest-sdk", "js:v4.24.0");
  if (request.method === "GET") return void response.writeHead(200).end("{}");
  const call = fromJsonText(assertJson(body));
  stub.calls.push(call);
  stub.headers.push(request.headers);
  const reply = await stub.answerCall(call);
  sign(stub, response, reply.body);
  response
    .writeHead(reply.status, { "content-type": "application/json", "x-inngest-req-version": "2" })
    .end(reply.body);
}

async function sync(stub: AppStub, name: string, response: ServerResponse): Promise<void> {
  const { manner } = stub;
  if (manner === "in_band") {
    response.setHeader("x-inngest-sdk", "js:v4.24.0").setHeader("x-inngest-sync-kind", "in_band");
    const body = JSON.stringify({
      app_id: name,
      framework: "nodejs",
      sdk: "js:v4.24.0",
      ...config(stub, name),
    });
    sign(stub, response, body);
    return void response.end(body);
  }
  if (manner === "out_of_band") {
    const registered = await register(stub, name);
    response.setHeader("x-inngest-sdk", "js:v4.24.0");
    return void response.writeHead(registered.status).end(await registered.text());
  }
  if (manner.sdk) response.setHeader("x-inngest-sdk", "js:v4.24.0");
  response.writeHead(manner.status).end(manner.body);
}

function sign({ signingKey }: AppStub, response: ServerResponse, body: string): void {
  if (signingKey === null) return;
  const signature = signResponse({ key: signingKey, body, at: Date.now() });
  response.setHeader("x-inngest-signature", signature);
}

/** Registers the stub with the server it knows, as SDKs do. */
export function register(stub: AppStub, name: string): Promise<Response> {
  const body = {
    appName: name,
    deployType: "ping",
    framework: "nodejs",
    sdk: "js:v4.24.0",
    v: "0.1",
    ...config(stub, name),
  };
  return fetch(`${stub.serverUrl}/fn/register`, {
    method: "POST",
    headers: {
      authorization: "Bearer undefined",
      "content-type": "application/json",
      ...stub.registerHeaders,
    },
    body: JSON.stringify(body),
  });
}

function config(stub: AppStub, name: string): object {
  const id = `${name}-greet`;
  const trigger = {
    event: "greet",
    ...(stub.expression === undefined ? null : { expression: stub.expression }),
  };
  const runtime = { type: "http", url: `${stub.url}?fnId=${id}&stepId=step` };
  const steps = { step: { id: "step", name: "step", runtime, retries: { attempts: 0 } } };
  return {
    url: stub.url,
    functions: [{ id, name: "Greet", triggers: [trigger], steps, ...stub.options }],
  };
}
