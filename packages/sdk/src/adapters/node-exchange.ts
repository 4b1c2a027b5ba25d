// Node's request and response objects, as far as adapters use them, and how they are read and
// written. Described by shape, so that neither Node's modules nor their types are needed, and the
// look-alikes of other hosts will do. Knows no framework.
import type { ServeRequest, ServeResponse } from "../serve/messages.ts";

/** What adapters need of an `IncomingMessage`. */
export interface NodeRequest extends AsyncIterable<unknown> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: object;
  /** Whether somebody has read the body to its end. */
  readonly readableEnded: boolean;
}

/** What adapters need of a `ServerResponse`. */
export interface NodeResponse {
  statusCode: number;
  readonly writableFinished: boolean;
  setHeader(name: string, value: string): unknown;
  once(event: "close", listener: () => void): unknown;
  end(body: string): unknown;
}

/** What a framework knows better than the request object it wraps. */
export interface FrameworkView {
  /** The body as a parser left it: text, bytes or parsed JSON; undefined when there was none. */
  readonly body?: unknown;
  /** Path and query as they were asked for, before a router shortened them. */
  readonly originalUrl?: string;
}

/** Largest body that is read, in bytes; larger ones are answered with 413. */
export const bodyBytesMax = 64 * 1024 * 1024;

/** Reads a request; resolves with the answer to give instead when that cannot be done. */
export async function readExchange(
  request: NodeRequest,
  response: NodeResponse,
  view: FrameworkView = viewOf(request),
): Promise<{ readonly request: ServeRequest } | { readonly refusal: ServeResponse }> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const header = (name: string): string | null => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(", ") : (value ?? null);
  };
  const secure = "encrypted" in request.socket && request.socket.encrypted === true;
  if (Number(header("content-length")) > bodyBytesMax) return { refusal: tooLarge };
  const url = publicUrl(header, view.originalUrl ?? request.url ?? "/", secure);
  if (url === null) return { refusal: refusal(400, "The request's address is not valid.") };
  let body: string | null;
  try {
    body = parsedBody(request, view.body) ?? (await readBody(request));
  } catch {
    return { refusal: refusal(400, "The body could not be read.") };
  }
  if (body === null) return { refusal: tooLarge };
  const method = request.method ?? "GET";
  return { request: { method, url, header, body, signal: gone.signal } };
}

/** Writes an answer and ends the response. */
export function writeExchange(response: NodeResponse, answer: ServeResponse): void {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  response.end(answer.body);
}

/**
 * The absolute URL of a request, as proxies in front of the host say it was; null when that is
 * none. `target` is the request's path with query, or an absolute URL.
 */
export function publicUrl(
  header: ServeRequest["header"],
  target: string,
  secure: boolean,
): string | null {
  const first = (name: string): string => (header(name) ?? "").split(",", 1)[0]?.trim() ?? "";
  const scheme = first("x-forwarded-proto") || (secure ? "https" : "http");
  const host = first("x-forwarded-host") || first("host") || first(":authority") || "localhost";
  try {
    // A path that begins with two slashes must not be taken for a host.
    if (target.startsWith("/")) return new URL(`${scheme}://${host}${target}`).href;
    const { pathname, search } = new URL(target);
    return new URL(`${scheme}://${host}${pathname}${search}`).href;
  } catch {
    return null;
  }
}

/** Routers and parsers of the Express family leave what they did on the request itself. */
function viewOf(request: NodeRequest): FrameworkView {
  const { originalUrl, rawBody, body }: ExtendedRequest = request;
  return {
    body: rawBody ?? body,
    ...(typeof originalUrl === "string" ? { originalUrl } : {}),
  };
}

interface ExtendedRequest extends NodeRequest {
  readonly originalUrl?: unknown;
  readonly rawBody?: unknown;
  readonly body?: unknown;
}

/** What a parser before us has made of the body, as text again; undefined when none has read it. */
function parsedBody(request: NodeRequest, parsed: unknown): string | undefined {
  if (parsed === undefined || parsed === null) return request.readableEnded ? "" : undefined;
  // Parsers also set an empty object on requests that they leave alone.
  if (!request.readableEnded && isEmptyObject(parsed)) return undefined;
  if (typeof parsed === "string") return parsed;
  if (parsed instanceof Uint8Array || parsed instanceof ArrayBuffer) {
    return new TextDecoder().decode(parsed);
  }
  return JSON.stringify(parsed);
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && JSON.stringify(value) === "{}";
}

/** The body as text; null when it is larger than is read. */
async function readBody(request: NodeRequest): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request) {
    const isBytes = chunk instanceof Uint8Array;
    const piece = isBytes ? decoder.decode(chunk, { stream: true }) : String(chunk);
    bytes += isBytes ? chunk.length : piece.length;
    if (bytes > bodyBytesMax) return null;
    text += piece;
  }
  return text + decoder.decode();
}

const tooLarge = refusal(413, "The body is too large.");

function refusal(status: number, message: string): ServeResponse {
  return {
    status,
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ message }),
  };
}
