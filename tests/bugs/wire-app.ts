// An app that a test writes by hand, down to the bytes of its answers: it registers functions and
// hands every call to the test. It must not know what the test makes of them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { hashStepId } from "@pawl/protocol/step-id";
import { Api } from "../support/api.ts";

/** One call, as far as tests look at it. */
export interface WireCall {
  /** The function's id, without the app's. */
  readonly functionId: string;
  readonly runId: string;
  /** `step`, or the hashed id of the step that is wanted. */
  readonly target: string;
  readonly attempt: number;
  /** What checkpoints of this call name. */
  readonly jobId: string;
  readonly requestId: string;
  readonly event: {
    readonly id: string;
    readonly name: string;
    readonly ts: number;
    readonly data: Readonly<Record<string, unknown>>;
  };
  /** Memos by hashed step id. */
  readonly steps: Readonly<Record<string, unknown>>;
  /** What the run has deferred, by hashed id. */
  readonly defers: Readonly<Record<string, { readonly abortable: boolean }>>;
  /** The socket, for answers that are no HTTP. */
  readonly response: ServerResponse;
}

/** An answer; null: the handler has answered by itself, or never will. */
export type Reply = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
} | null;

export interface WireFunction {
  readonly id: string;
  /** What starts it, or `cron`. */
  readonly event?: string;
  readonly cron?: string;
  readonly retries?: number;
}

type Handler = (call: WireCall) => Reply | Promise<Reply>;

export class WireApp {
  readonly calls: WireCall[] = [];
  readonly url: string;
  readonly #server: Server;
  readonly #name: string;
  readonly #functions: readonly WireFunction[];

  private constructor(name: string, functions: readonly WireFunction[], server: Server) {
    this.#name = name;
    this.#functions = functions;
    this.#server = server;
    const { port } = server.address() as AddressInfo; // proof: a TCP server that listens has one
    this.url = `http://127.0.0.1:${String(port)}/api/pawl`;
  }

  static async start(
    name: string,
    functions: readonly WireFunction[],
    handle: Handler,
  ): Promise<WireApp> {
    const server = createServer((request, response) => {
      take(app, request, response, handle).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const app = new WireApp(name, functions, server);
    return app;
  }

  /** Makes the functions known to a server. */
  async register(serverUrl: string): Promise<void> {
    const functions = this.#functions.map(({ id, event, cron, retries = 3 }) => {
      const slug = `${this.#name}-${id}`;
      const runtime = { type: "http", url: `${this.url}?fnId=${slug}&stepId=step` };
      const step = { id: "step", name: "step", runtime, retries: { attempts: retries } };
      return {
        id: slug,
        name: id,
        triggers: [cron === undefined ? { event } : { cron }],
        steps: { step },
      };
    });
    const { status, body } = await new Api(serverUrl).request("POST", "/fn/register", {
      url: this.url,
      deployType: "ping",
      framework: "nodejs",
      appName: this.#name,
      sdk: "js:v4.24.0",
      v: "0.1",
      functions,
    });
    if (status !== 200) throw new Error(`not registered: ${JSON.stringify(body)}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

interface CallBody {
  readonly event: WireCall["event"];
  readonly steps: WireCall["steps"];
  readonly defers: WireCall["defers"];
  readonly ctx: { readonly run_id: string; readonly attempt: number; readonly qi_id: string };
}

async function take(
  app: WireApp,
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handler,
): Promise<void> {
  // proof: the server sends calls as protocol.md 2.1 has them
  const body = JSON.parse(await text(request)) as CallBody;
  const { searchParams } = new URL(request.url ?? "", app.url);
  const slug = searchParams.get("fnId") ?? "";
  const call: WireCall = {
    functionId: slug.slice(slug.indexOf("-") + 1),
    runId: body.ctx.run_id,
    target: searchParams.get("stepId") ?? "",
    attempt: body.ctx.attempt,
    jobId: body.ctx.qi_id,
    requestId: String(request.headers["x-request-id"]),
    event: body.event,
    steps: body.steps,
    defers: body.defers,
    response,
  };
  app.calls.push(call);
  const reply = await handle(call);
  if (reply === null || response.destroyed) return;
  const head = { "content-type": "application/json", "x-inngest-sdk": "js:v4.24.0" };
  const version = { "x-inngest-req-version": "2" };
  response.writeHead(reply.status, { ...head, ...version, ...reply.headers });
  response.end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
}

/** The function has returned. */
export function returned(value: unknown): Reply {
  return { status: 200, body: JSON.stringify(value) };
}

/** The function has come to these. */
export function opcodes(...ops: readonly object[]): Reply {
  return { status: 206, body: ops };
}

/** The memo of a step; undefined while there is none. */
export function memoOf(call: WireCall, id: string): unknown {
  return call.steps[hashStepId(id, 0)];
}

function face(id: string): { id: string; displayName: string; userland: { id: string } } {
  return { id: hashStepId(id, 0), displayName: id, userland: { id } };
}

/** A finished step. */
export function stepRun(id: string, data: unknown): object {
  return { ...face(id), op: "StepRun", data };
}

/** A step to be called for. */
export function stepPlanned(id: string): object {
  return { ...face(id), op: "StepPlanned" };
}

/** A wait; `more` goes into its options. */
export function waitForEvent(id: string, event: string, more: object = {}): object {
  return { ...face(id), op: "WaitForEvent", opts: { event, timeout: "10m", ...more } };
}

/** A sleep of so many seconds. */
export function sleepFor(id: string, seconds: number): object {
  return { ...face(id), op: "Sleep", name: `${seconds}s` };
}

/** Calls another function. */
export function invoke(id: string, slug: string, data: object = {}): object {
  const opts = { function_id: slug, payload: { data }, timeout: "10m" };
  return { ...face(id), op: "InvokeFunction", opts };
}

/** The function's result, as a checkpoint carries it. */
export function runComplete(data: unknown): object {
  return { ...face("complete"), op: "RunComplete", data };
}
