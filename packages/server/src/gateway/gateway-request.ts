// Performs one HTTP request for a step: within its limits, along redirects, never past the guard.
// Ends with the response or with a `GatewayFailure`. It must not know steps, retries or memos.
import { promisify } from "node:util";
import { brotliDecompress, unzip } from "node:zlib";
import { Client, type buildConnector } from "undici";
import { isOpenHeader, type GatewayRequest } from "@pawl/protocol/gateway-wire";
import {
  HttpExchange,
  headerOf,
  type Ended,
  type ResponseHeaders,
} from "../driver/http-exchange.ts";
import type { AddressGuard } from "./address-guard.ts";
import {
  addressRefused,
  GatewayFailure,
  nameOfRequest,
  transportFailure,
} from "./gateway-failure.ts";
import { AddressRefused, checkLiteral } from "./guarded-connect.ts";

export interface GatewayLimits {
  /** From the start of a request to the last byte of its response, redirects included. */
  readonly timeoutMs: number;
  /** Longest silence in the middle of a response. */
  readonly idleMs: number;
  readonly connectTimeoutMs: number;
  /** UTF-8 bytes of a request's body. */
  readonly requestBytesMax: number;
  /** Bytes of a response's body, before and after it is decompressed. */
  readonly responseBytesMax: number;
  readonly redirectsMax: number;
}

/** The documented limits. */
export const defaultGatewayLimits: GatewayLimits = {
  timeoutMs: 600_000,
  idleMs: 300_000,
  connectTimeoutMs: 10_000,
  requestBytesMax: 4 * 1024 * 1024,
  responseBytesMax: 4 * 1024 * 1024,
  redirectsMax: 10,
};

export interface GatewayResponse {
  /** Where the last redirect led. */
  readonly url: string;
  readonly status: number;
  /** Without those that tell of the transfer: the body is decompressed and whole. */
  readonly headers: ResponseHeaders;
  readonly bytes: Uint8Array;
}

export interface Performing {
  readonly guard: AddressGuard;
  readonly connect: buildConnector.connector;
  readonly limits: GatewayLimits;
  readonly followRedirects: boolean;
  /** Its reason is a `GatewayFailure`, or anything when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** See the head of this file. Rejects with a `GatewayFailure`, or with the reason of the signal. */
export async function performRequest(
  request: GatewayRequest,
  performing: Performing,
): Promise<GatewayResponse> {
  const { limits, followRedirects } = performing;
  checkRequest(request, limits);
  let hop: Hop = { url: parseUrl(request.url, request.method), request };
  for (let redirects = 0; ; redirects++) {
    const ended = await exchange(hop, performing);
    const response = judge(hop, ended, limits);
    const location = isRedirect(response.status) ? headerOf(response.headers, "location") : null;
    if (location === null || !followRedirects) return decoded(hop, response, limits);
    if (redirects >= limits.redirectsMax) {
      throw new GatewayFailure(
        "gateway_redirect_invalid",
        `${nameOfRequest(request.method, request.url)} is redirected more than ${String(limits.redirectsMax)} times (limit gateway-redirects-max).`,
      );
    }
    hop = follow(hop, response.status, location);
  }
}

interface Hop {
  readonly url: URL;
  readonly request: GatewayRequest;
}

/** Headers about the connection: they are the HTTP client's to set. */
const ownHeaders: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function checkRequest({ method, url, body }: GatewayRequest, limits: GatewayLimits): void {
  const where = nameOfRequest(method, url);
  if (!/^[A-Z][A-Z0-9-]{0,31}$/.test(method) || method === "CONNECT" || method === "TRACE") {
    const message = `${where} cannot be sent: "${method.slice(0, 40)}" is no method that a step may use.`;
    throw new GatewayFailure("gateway_request_invalid", message);
  }
  const bytes = body === null ? 0 : Buffer.byteLength(body);
  if (bytes > limits.requestBytesMax) {
    const message = `The body of ${where} has ${String(bytes)} bytes; the limit is ${String(limits.requestBytesMax)} (gateway-request-bytes-max). Store large data elsewhere and send a reference.`;
    throw new GatewayFailure("gateway_request_too_large", message);
  }
}

function parseUrl(text: string, method: string): URL {
  const where = nameOfRequest(method, text);
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    const message = `${where} cannot be sent: its URL must be absolute, and http or https.`;
    throw new GatewayFailure("gateway_url_invalid", message);
  }
  if (url.username !== "" || url.password !== "") {
    const message = `${where} cannot be sent: its URL holds a user or a password. Send them in a header.`;
    throw new GatewayFailure("gateway_url_invalid", message);
  }
  return url;
}

/** One request and its response, over a connection of its own: the guard sees each of them. */
async function exchange({ url, request }: Hop, performing: Performing): Promise<Ended> {
  const { guard, connect, limits, signal } = performing;
  const { method, body } = request;
  try {
    checkLiteral(guard, url.hostname);
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
    throw addressRefused(nameOfRequest(method, url.href), error);
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !ownHeaders.has(name)),
  );
  const client = new Client(url.origin, {
    connect,
    allowH2: false,
    // The whole request has one time limit, kept by the caller.
    headersTimeout: 0,
    bodyTimeout: limits.idleMs,
  });
  try {
    return await new Promise<Ended>((resolve, reject) => {
      const handler = new HttpExchange(limits.responseBytesMax, resolve);
      const giveUp = (): void => {
        handler.abort("nobody waits for the response");
        reject(signal.reason as Error); // proof: whoever aborts says why with an error
      };
      if (signal.aborted) return giveUp();
      signal.addEventListener("abort", giveUp, { once: true });
      client.dispatch(
        {
          path: `${url.pathname}${url.search}`,
          method,
          headers,
          reset: true,
          body,
        },
        handler,
      );
    });
  } finally {
    client.destroy().catch(() => undefined);
  }
}

function judge(
  { url, request }: Hop,
  ended: Ended,
  limits: GatewayLimits,
): Extract<Ended, { kind: "answered" }> {
  const where = nameOfRequest(request.method, url.href);
  if (ended.kind === "answered") return ended;
  if (ended.kind === "broken") throw transportFailure(where, ended.error, limits.idleMs);
  throw tooLarge(where, limits);
}

function tooLarge(where: string, { responseBytesMax }: GatewayLimits): GatewayFailure {
  return new GatewayFailure(
    "gateway_response_too_large",
    `The response to ${where} has more than ${String(responseBytesMax)} bytes (limit gateway-response-bytes-max). Fetch large data in a step.run, and return a reference.`,
  );
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** The next request, as browsers make it. Another origin is shown no header that may be secret. */
function follow({ url, request }: Hop, status: number, location: string): Hop {
  const where = nameOfRequest(request.method, url.href);
  const target = URL.parse(location, url.href);
  if (
    target === null ||
    (target.protocol !== "http:" && target.protocol !== "https:") ||
    target.username !== "" ||
    target.password !== ""
  ) {
    const message = `${where} is redirected to somewhere that is no plain http or https URL.`;
    throw new GatewayFailure("gateway_redirect_invalid", message);
  }
  const isRead = request.method === "GET" || request.method === "HEAD";
  const becomesGet =
    status === 303 ? !isRead : (status === 301 || status === 302) && request.method === "POST";
  const headers = Object.entries(request.headers).filter(
    ([name]) =>
      (target.origin === url.origin || isOpenHeader(name)) &&
      !(becomesGet && name.startsWith("content-")),
  );
  return {
    url: target,
    request: {
      ...request,
      headers: Object.fromEntries(headers),
      ...(becomesGet ? { method: "GET", body: null } : {}),
    },
  };
}

const unpack = {
  gzip: promisify(unzip),
  deflate: promisify(unzip),
  br: promisify(brotliDecompress),
};

/** Headers that are no longer true of a body that is decompressed and whole. */
const transferHeaders = ["content-encoding", "content-length", "transfer-encoding", "connection"];

async function decoded(
  { url, request }: Hop,
  { status, headers, bytes }: Extract<Ended, { kind: "answered" }>,
  limits: GatewayLimits,
): Promise<GatewayResponse> {
  const coding = (headerOf(headers, "content-encoding") ?? "").trim().toLowerCase();
  const unpacker = coding === "x-gzip" ? "gzip" : coding;
  const kept = Object.entries(headers).filter(([name]) => !transferHeaders.includes(name));
  const plain = { url: url.href, status, headers: Object.fromEntries(kept), bytes };
  if (bytes.length === 0 || unpacker === "" || unpacker === "identity") return plain;
  const where = nameOfRequest(request.method, url.href);
  if (unpacker !== "gzip" && unpacker !== "deflate" && unpacker !== "br") {
    const message = `The response to ${where} is encoded as "${coding.slice(0, 40)}", which was not asked for.`;
    throw new GatewayFailure("gateway_response_malformed", message);
  }
  try {
    const options = { maxOutputLength: limits.responseBytesMax };
    return { ...plain, bytes: await unpack[unpacker](bytes, options) };
  } catch (cause) {
    const isLarge =
      cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
    if (isLarge) throw tooLarge(where, limits);
    const message = `The response to ${where} says that it is ${coding}, and is not.`;
    throw new GatewayFailure("gateway_response_malformed", message, { cause });
  }
}
