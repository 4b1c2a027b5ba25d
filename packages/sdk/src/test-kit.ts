// Helpers for this package's tests: a client on a virtual clock and a recorded network, and calls
// in the form in which a server makes them. Not part of the package.
import { hashStepId } from "@pawl/protocol/step-id";
import { Pawl } from "./client/pawl.ts";
import type { PawlFunction } from "./functions/pawl-function.ts";
import type { Runtime } from "./runtime.ts";
import { createHandler } from "./serve/handler.ts";
import type { ServeResponse } from "./serve/messages.ts";

/** A request that the code under test has made. */
export interface SentRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A clock that moves only when somebody sleeps, and a network that answers as told. */
export class FakeWorld {
  now = 1_700_000_000_000;
  readonly sent: SentRequest[] = [];
  readonly slept: number[] = [];
  /** Answers a request; throws to be unreachable. */
  answer: (request: SentRequest, index: number) => Response = () => new Response("{}");

  readonly runtime: Partial<Runtime> = {
    now: () => this.now,
    randomBytes: (count) => new Uint8Array(count).fill(7),
    sleep: (ms) => {
      this.slept.push(ms);
      this.now += ms;
      return Promise.resolve();
    },
    env: () => undefined,
    fetch: (url, init) => {
      const headers = Object.fromEntries(new Headers(init.headers).entries());
      const body = typeof init.body === "string" ? init.body : "";
      const request = { url, method: init.method ?? "GET", headers, body };
      this.sent.push(request);
      try {
        return Promise.resolve(this.answer(request, this.sent.length - 1));
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}

/** A client in dev mode that lives in a fake world. */
export function devClient(world: FakeWorld) {
  return new Pawl({ id: "app", isDev: true, runtime: world.runtime, logger: silentLogger });
}

/** Swallows all lines. */
export const silentLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What differs between calls. */
export interface CallOptions {
  /** Memos by the user's step id (`a`, or `a:1` for a repeat), in recorded order. */
  readonly steps?: Readonly<Record<string, unknown>>;
  /** User's step id of the one step to run. */
  readonly target?: string;
  readonly event?: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly slug?: string;
}

/** The event of calls that bring none of their own. */
export const sampleEvent = { id: "e1", name: "go", data: { n: 1 }, ts: 1, user: {} };

/** The hash of a step id as written in `CallOptions.steps`. */
export function idHash(id: string): string {
  const [name = "", index = "0"] = id.split(":");
  return hashStepId(name, Number(index));
}

/** The body and URL of a call. */
export function callRequest(fn: PawlFunction, options: CallOptions = {}) {
  const steps = Object.entries(options.steps ?? {});
  const event = options.event ?? sampleEvent;
  const target = options.target === undefined ? "step" : idHash(options.target);
  const body = {
    version: 2,
    event,
    events: [event],
    steps: Object.fromEntries(steps.map(([id, memo]) => [idHash(id), memo])),
    ctx: {
      run_id: "01JD0000000000000000000000",
      attempt: 0,
      max_attempts: 4,
      stack: { stack: steps.map(([id]) => idHash(id)), current: steps.length },
      disable_immediate_execution: false,
      ...options.ctx,
    },
    ...options.body,
  };
  const slug = options.slug ?? fn.slug;
  return {
    url: `http://app.test/api/pawl?fnId=${slug}&stepId=${target}`,
    body: JSON.stringify(body),
  };
}

/** Calls a function as a server would; the answer's body comes parsed. */
export async function callFunction(
  client: { readonly connection: Pawl["connection"] },
  fn: PawlFunction,
  options: CallOptions = {},
): Promise<ServeResponse & { readonly value: unknown }> {
  const handle = createHandler("test", { client, functions: [fn] });
  const { url, body } = callRequest(fn, options);
  const response = await handle({ method: "POST", url, header: () => null, body });
  const value: unknown = JSON.parse(response.body);
  return { ...response, value };
}

/** The kinds and ids of the opcodes in an answer, such as `["StepRun a", "Sleep b race"]`. */
export function opsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.map((op: unknown) => {
    // proof: tests read answers of their own making
    const each = op as {
      op: string;
      userland?: { id: string; index: number };
      opts?: { parallelMode?: string };
    };
    const { id = "", index = 0 } = each.userland ?? {};
    const name = index === 0 ? id : `${id}:${index}`;
    return `${each.op} ${name}${each.opts?.parallelMode === "race" ? " race" : ""}`.trim();
  });
}

/** Parses what a test knows the shape of. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the shape
export function parseAs<Shape>(text: string | undefined): Shape {
  return JSON.parse(text ?? "null") as Shape; // proof: tests read what they have caused themselves
}
