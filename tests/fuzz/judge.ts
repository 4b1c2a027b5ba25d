// What every answer owes its caller, whatever was asked: a documented refusal in the shape of its
// API, no failure that nobody foresaw, JSON where JSON is said. It must not know how requests are made.
import type { Case } from "./cases.ts";
import type { Exchange, RawAnswer } from "./wire.ts";

/** The closed list of the REST API v2 (protocol.md 8.3). */
const codesOfV2: ReadonlySet<string> = new Set([
  "invalid_request",
  "missing_field",
  "invalid_field_format",
  "env_name_ambiguous",
  "authorization_header_missing",
  "invalid_signing_key",
  "invalid_api_key",
  "access_denied",
  "resource_already_exists",
  "idempotency_conflict",
  "state_conflict",
  "operation_ambiguous",
  "rate_limited",
  "function_debounced",
  "function_skipped",
  "app_sync_failed",
  "not_found",
  "account_not_found",
  "env_not_found",
  "validation_error",
  "internal_error",
  "not_implemented",
  "output_encoding_invalid",
  "capacity_unavailable",
]);

/** What is refused before anybody knows which API was meant. */
const codesOfSockets: ReadonlySet<string> = new Set([
  "request_malformed",
  "headers_too_large",
  "request_timeout",
]);

/** Statuses from 500 up that say what the matter is, and are no failure. */
const bearable: ReadonlyMap<number, ReadonlySet<string>> = new Map([
  [501, new Set(["not_implemented"])],
  [503, new Set(["overloaded", "draining", "event_keys_unset", "capacity_unavailable"])],
]);

/** What is wrong with what came back; null: nothing. */
export function faultOf(one: Case, exchange: Exchange): string | null {
  const { answers, rest, timedOut } = exchange;
  const isWhole = one.framing === "length" || one.framing === "chunked" || one.framing === "slow";
  if (timedOut && isWhole) return "no answer in time";
  if (answers.length === 0 && isWhole && !rest.includes("x-ndjson"))
    return `no answer, only ${JSON.stringify(rest)}`;
  for (const answer of answers) {
    const fault = faultOfAnswer(one, answer);
    if (fault !== null) return `${fault}: ${String(answer.status)} ${answer.body.slice(0, 400)}`;
  }
  return null;
}

function faultOfAnswer(one: Case, answer: RawAnswer): string | null {
  const { status, headers, body } = answer;
  if (headers.get("x-injected") !== undefined) return "a header was injected";
  if (one.method === "HEAD" || status === 204 || status === 202) return null;
  const isJson = headers.get("content-type")?.startsWith("application/json") === true;
  const json = isJson ? parsed(body) : undefined;
  if (isJson && json === undefined) return "the body is no JSON";
  if (status < 400) return faultOfSuccess(one, json);
  if (json === undefined) return "a refusal without JSON";
  const code = refusalCode(one, status, json);
  if (code === null) return "a refusal in a shape that is not documented";
  if (status >= 500 && bearable.get(status)?.has(code) !== true)
    return `a failure with code ${code}`;
  if (/\n\s+at .*:\d+/.test(body)) return "a stack trace";
  return null;
}

/** Queries that fail are answered with 200: what nobody foresaw is told inside. */
function faultOfSuccess(one: Case, json: unknown): string | null {
  if (one.pattern === "/v0/gql") {
    const errors = look(json, "errors");
    const codes = Array.isArray(errors)
      ? errors.map((error) => look(error, "extensions", "code"))
      : [];
    return codes.includes("internal") ? "a query failed by surprise" : null;
  }
  if (one.pattern !== "/mcp") return null;
  const answers = Array.isArray(json) ? json : [json];
  return answers.some((answer) => look(answer, "error", "code") === -32603)
    ? "a tool failed by surprise"
    : null;
}

/** The code of a refusal in the shape of its API; null: it is in none. */
function refusalCode(one: Case, status: number, json: unknown): string | null {
  const plain = look(json, "code");
  const isPlain =
    look(json, "status") === status &&
    typeof look(json, "error") === "string" &&
    typeof plain === "string";
  if (isPlain && codesOfSockets.has(plain)) return plain;
  const path = one.target.split("?")[0] ?? "";
  if (/^\/(api\/)?v2(\/|$)/.test(path)) {
    // A sync that failed keeps the shape of one that did not (protocol.md 8.3).
    if (status === 422 && look(json, "data", "error", "code") === "app_sync_failed")
      return "app_sync_failed";
    const code = look(json, "errors", 0, "code");
    const isKnown = typeof code === "string" && codesOfV2.has(code);
    return isKnown && typeof look(json, "errors", 0, "message") === "string" ? code : null;
  }
  // A path beside `/mcp` that leads nowhere is refused as it refuses.
  if (path === "/v0/gql" || /^\/mcp(\/|$)/.test(path)) {
    const code =
      look(json, "errors", 0, "extensions", "code") ?? look(json, "error", "data", "code");
    const isRpc = typeof look(json, "error", "code") === "number";
    return typeof code === "string" ? code : isRpc ? "rpc" : null;
  }
  if (/^\/e(\/|$)/.test(path) && !Array.isArray(look(json, "ids"))) return null;
  return isPlain && /^[a-z][a-z0-9_]*$/.test(plain) ? plain : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function look(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = new Map<string, unknown>(Object.entries(found)).get(String(key));
  }
  return found;
}
