// The steps that the server performs as HTTP requests: turns arguments into requests, and what was
// recorded into what user code gets. Both are functions of their input, so every replay sees the
// same. It must not know how a request is performed.
import type { JsonValue } from "@pawl/protocol/json-text";
import { PawlError } from "../errors.ts";
import type { GatewayRequest } from "../replay/step.ts";
import type { AiModel, FetchStepInit, InferOptions } from "./gateway-types.ts";

interface StepName {
  readonly id: string;
  readonly name: string;
}

type Opts = Record<string, JsonValue>;

/** The request of `step.fetch`. Throws a `PawlError` for what cannot be sent. */
export function fetchRequest(
  name: StepName,
  retries: number | undefined,
  input: string | URL,
  init: FetchStepInit = {},
): GatewayRequest {
  const url = URL.canParse(String(input)) ? String(input) : null;
  if (url === null) throw refused(name, "needs an absolute URL");
  const headers = new Headers(init.headers as ConstructorParameters<typeof Headers>[0]); // proof: its own inputs, but readonly
  const { body } = init;
  if (body instanceof URLSearchParams && !headers.has("content-type"))
    headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
  if (body !== undefined && typeof body !== "string" && !(body instanceof URLSearchParams))
    throw refused(name, "can send text or URLSearchParams as its body, and nothing else");
  const opts: Opts = { url, method: init.method ?? "GET", headers: Object.fromEntries(headers) };
  if (body !== undefined) opts["body"] = String(body);
  return { kind: "gateway", ...name, op: "Gateway", opts: withRetries(opts, retries), revive };
}

/** The request of `step.ai.infer`. Throws a `PawlError` for a model without a URL. */
export function inferRequest<Input, Output>(
  name: StepName,
  retries: number | undefined,
  options: InferOptions<Input, Output>,
): GatewayRequest {
  const model: AiModel<Input, Output> = { ...options.model };
  const body = JSON.parse(JSON.stringify(options.body ?? {})) as JsonValue; // proof: stringify wrote it
  // proof: a model's own hook takes the model and its body; what it may change are copies
  (model.onCall as ((model: unknown, body: unknown) => void) | undefined)?.(model, body);
  if (model.url === undefined) throw refused(name, "needs a model with a URL");
  const opts: Opts = {
    type: "step.ai.infer",
    url: model.url,
    headers: { ...model.headers },
    auth_key: model.authKey ?? "",
    format: model.format,
    body,
  };
  const revived = (recorded: JsonValue): unknown => recorded;
  return {
    kind: "gateway",
    ...name,
    op: "AIGateway",
    opts: withRetries(opts, retries),
    revive: revived,
  };
}

function withRetries(opts: Opts, retries: number | undefined): Opts {
  return retries === undefined ? opts : { ...opts, retries };
}

function refused(name: StepName, rule: string): PawlError {
  return new PawlError("option_invalid", `Step "${name.id}" ${rule}.`);
}

interface Recorded {
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
  readonly body_encoding?: string;
  readonly status_code?: number;
}

/** A recorded response (protocol.md 2.2) as the platform's own class, unread. */
function revive(recorded: JsonValue): Response {
  const { url = "", headers = {}, body = null, ...rest } = (recorded ?? {}) as Recorded; // proof: the server's shape
  const status = rest.status_code ?? 200;
  const bytes = rest.body_encoding === "base64" && body !== null ? fromBase64(body) : body;
  // Some servers answer with numbers that the class refuses.
  const isUsual = status >= 200 && status <= 599;
  const response = new Response(bytes, { headers: { ...headers }, status: isUsual ? status : 500 });
  Object.defineProperty(response, "url", { value: url });
  if (!isUsual) Object.defineProperty(response, "status", { value: status });
  return response;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
