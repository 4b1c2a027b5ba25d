// Requests that the server performs for an app (protocol.md 2.5: `Gateway` is `step.fetch`,
// `AIGateway` is `step.ai.infer`): what goes out, secrets included, and what people may see of it.
// It must not know who performs them, nor how.
import { type JsonText, type JsonValue, jsonNull, toJsonText } from "./json-text.ts";
import { isJsonObject, type ObjectReader } from "./object-reader.ts";

/** `fetch`: any HTTP request; `infer`: a POST to a provider of AI models. */
export type GatewayKind = "fetch" | "infer";

/** An HTTP request as it goes out. Its headers hold secrets: it is not for people, nor for logs. */
export interface GatewayRequest {
  /** As the app wrote it; whether it is a URL is found out when it is performed. */
  readonly url: string;
  /** In upper case. */
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The kinds of step that people read about. */
export const gatewayStepTypes: Readonly<Record<GatewayKind, string>> = {
  fetch: "step.fetch",
  infer: "step.ai.infer",
};

/** Stands where something is not shown. */
export const redacted = "[redacted]";

/**
 * Reads `opts` of a gateway opcode. `auth_key` becomes the header that the provider's `format`
 * wants it in, unless the app has set that header itself.
 */
export function readGatewayOpts(opts: ObjectReader, kind: GatewayKind): GatewayRequest {
  const url = opts.string("url");
  if (url === null || url === "") throw opts.wrong("url", "a URL");
  const headers = new Map(readHeaders(opts));
  const body = bodyOf(opts);
  if (kind === "infer") {
    const auth = authHeader(opts.string("format") ?? "", opts.string("auth_key") ?? "");
    // Published SDKs put the key of Gemini into the URL themselves.
    const isInUrl = auth?.name === "x-goog-api-key" && /[?&]key=[^&]/.test(url);
    if (auth !== null && !isInUrl && !headers.has(auth.name)) headers.set(auth.name, auth.value);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
  }
  const method = kind === "infer" ? "POST" : (opts.string("method") || "GET").toUpperCase();
  return { url, method, headers: Object.fromEntries(headers), body };
}

/** `readGatewayOpts`, as it is kept until the step has ended. */
export function writeGatewayRequest(request: GatewayRequest): JsonText {
  return toJsonText(request);
}

/** Back from `writeGatewayRequest`. */
export function parseGatewayRequest(text: JsonText): GatewayRequest {
  return JSON.parse(text) as GatewayRequest; // proof: written by writeGatewayRequest
}

function* readHeaders(opts: ObjectReader): Generator<readonly [string, string]> {
  const headers = opts.get("headers");
  if (headers === undefined) return;
  if (!isJsonObject(headers)) throw opts.wrong("headers", "an object of texts");
  for (const [name, value] of Object.entries(headers)) {
    if (value !== null) yield [name.toLowerCase(), headerText(value)];
  }
}

/** SDKs send text; lists, as Go's own headers are, are joined as HTTP joins them. */
function headerText(value: JsonValue): string {
  if (Array.isArray(value)) return value.map((item: JsonValue) => headerText(item)).join(", ");
  return typeof value === "string" ? value : toJsonText(value);
}

/** A text goes out as it is, any other value as its JSON. */
function bodyOf(opts: ObjectReader): string | null {
  const body = opts.get("body");
  if (body === undefined) return null;
  return typeof body === "string" ? body : opts.text("body");
}

/** Where each provider looks for its key. Providers not named here mostly speak as OpenAI does. */
function authHeader(format: string, key: string): { name: string; value: string } | null {
  if (key === "") return null;
  switch (format) {
    case "anthropic":
      return { name: "x-api-key", value: key };
    case "gemini":
      return { name: "x-goog-api-key", value: key };
    case "azure-openai":
      return { name: "api-key", value: key };
    default:
      return { name: "authorization", value: `Bearer ${key}` };
  }
}

/** Headers that tell nothing about who asks. The values of all others are not shown. */
const openHeaders: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "anthropic-beta",
  "anthropic-version",
  "content-encoding",
  "content-language",
  "content-type",
  "openai-beta",
  "user-agent",
]);

/** Whether the value of a header, by its name in lower case, may be shown to anybody. */
export function isOpenHeader(name: string): boolean {
  return openHeaders.has(name);
}

/** Options that are for people as they are. */
const openOptions = ["method", "format", "parallelMode", "retries"] as const;

/**
 * `opts` for the people who look at a run: no key, no values of headers but of harmless ones, no
 * values of the URL's query, and no form, since that is how credentials are sent.
 */
export function gatewayOptsForPeople(opts: ObjectReader, kind: GatewayKind): JsonText {
  const parts = [`"type":${toJsonText(gatewayStepTypes[kind])}`];
  const add = (name: string, text: JsonText): void => {
    parts.push(`${toJsonText(name)}:${text}`);
  };
  add("url", toJsonText(urlForPeople(opts.string("url") ?? "")));
  for (const name of openOptions) {
    const text = opts.get(name) === undefined ? null : opts.text(name);
    if (text !== null) add(name, text);
  }
  const headers = [...readHeaders(opts)];
  const shown = headers.map(([name, value]) => [name, openHeaders.has(name) ? value : redacted]);
  if (shown.length > 0) add("headers", toJsonText(Object.fromEntries(shown)));
  const isForm = headers.some(
    ([name, value]) => name === "content-type" && /form/i.test(value), // urlencoded and multipart
  );
  if (opts.get("body") !== undefined)
    add("body", isForm ? toJsonText(redacted) : (opts.text("body") ?? jsonNull));
  return `{${parts.join(",")}}` as JsonText; // proof: an object of quoted keys and JSON values
}

/** A URL without what may be secret in it: user, password, values of the query, fragment. */
export function urlForPeople(text: string): string {
  const query = text.indexOf("?");
  const open = (query === -1 ? text : text.slice(0, query))
    .replace(/#.*$/s, "")
    .replace(/^([a-z][a-z0-9+.-]*:\/*)[^/@]*@/i, `$1${redacted}@`);
  if (query === -1) return open;
  const names = text
    .slice(query + 1)
    .replace(/#.*$/s, "")
    .split("&")
    .map((pair) => `${pair.split("=", 1)[0] ?? ""}=${redacted}`);
  return `${open}?${names.join("&")}`;
}
