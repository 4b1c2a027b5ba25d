// Talks to the serve endpoint of an app: asks whether an SDK is there, and asks it to sync
// (protocol.md 1.1, 1.4, 1.6). It carries messages; what they change is decided elsewhere.
import {
  headerSdk,
  headerSdkHandled,
  headerServerKind,
  headerSignature,
  headerSyncKind,
} from "@pawl/protocol/headers";
import { signRequest, verifySignature } from "@pawl/protocol/signature";
import { Agent, request } from "undici";
import type { ServerKind } from "../http/gateway.ts";
import { messageOf } from "../server-error.ts";

/** What an app made of the request to sync. */
export type SyncAnswer =
  /** It sent its configuration along. */
  | { readonly kind: "in_band"; readonly body: string }
  /** It says that it registered by a request of its own. */
  | { readonly kind: "out_of_band" }
  /** Why it did not sync, in words for people. */
  | { readonly kind: "failed"; readonly error: string };

export interface AppClient {
  /** Whether an SDK answers at the URL. Never rejects. */
  isApp(url: string): Promise<boolean>;
  /** Asks the app at the URL to sync. Never rejects. */
  requestSync(url: string): Promise<SyncAnswer>;
  close(): Promise<void>;
}

export interface AppClientOptions {
  readonly kind: ServerKind;
  /** Current key first; empty: requests are not signed and answers not checked. */
  readonly signingKeys: readonly string[];
  readonly now: () => number;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly header: (name: string) => string | null;
}

interface Exchange {
  readonly method: "GET" | "PUT";
  readonly url: string;
  /** Empty: none is sent. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Time for all of it. */
  readonly ms: number;
  readonly redirectsMax: number;
}

type Send = (exchange: Exchange) => Promise<Answer>;

const probeMs = 2_000;
const syncMs = 10_000;
const answerBytesMax = 8 * 1024 * 1024;

/** A client with connections of its own; `close` lets go of them. */
export function createAppClient(options: AppClientOptions): AppClient {
  const agent = new Agent({
    connections: 4,
    keepAliveTimeout: 1_000,
    connect: { timeout: probeMs },
  });
  const send: Send = (exchange) => carry(agent, exchange);
  return {
    isApp: async (url) => {
      try {
        const headers = { [headerServerKind]: options.kind };
        // A search of this machine must not be led elsewhere.
        return isSdk(
          await send({ method: "GET", url, body: "", headers, ms: probeMs, redirectsMax: 0 }),
        );
      } catch {
        return false;
      }
    },
    requestSync: (url) => requestSync(send, options, url),
    close: () => agent.destroy(),
  };
}

async function requestSync(
  send: Send,
  options: AppClientOptions,
  url: string,
): Promise<SyncAnswer> {
  const body = JSON.stringify({ url });
  const [key] = options.signingKeys;
  const headers = {
    "content-type": "application/json",
    [headerServerKind]: options.kind,
    [headerSyncKind]: "in_band",
    ...(key === undefined
      ? null
      : { [headerSignature]: signRequest({ key, body, at: options.now() }) }),
  };
  try {
    const answer = await send({ method: "PUT", url, body, headers, ms: syncMs, redirectsMax: 5 });
    return readAnswer(options, url, answer);
  } catch (error) {
    return failed(`The app at ${url} cannot be reached: ${reasonOf(error)}.`);
  }
}

function readAnswer(options: AppClientOptions, url: string, answer: Answer): SyncAnswer {
  if (!isSdk(answer)) {
    return failed(
      `${url} answered with status ${String(answer.status)}, but not like an app: there is no ${headerSdk} header.`,
    );
  }
  if (answer.status < 200 || answer.status > 299) {
    return failed(
      `The app at ${url} refused to sync with status ${String(answer.status)}${quoted(answer.body)}.`,
    );
  }
  if (answer.header(headerSyncKind) !== "in_band") return { kind: "out_of_band" };
  if (options.signingKeys.length > 0) {
    const header = answer.header(headerSignature);
    const { body } = answer;
    const problem = signatureProblem(() =>
      verifySignature({
        keys: options.signingKeys,
        header,
        body,
        now: options.now(),
        canonical: false,
      }),
    );
    if (problem !== null)
      return failed(
        `The answer of the app at ${url} is not signed with the signing key: ${problem}`,
      );
  }
  return { kind: "in_band", body: answer.body };
}

function signatureProblem(verify: () => void): string | null {
  try {
    verify();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** The message of an error answer, which SDKs write as `{message}` or `{error}`. */
function quoted(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null) return "";
    const text = "message" in value ? value.message : "error" in value ? value.error : null;
    return typeof text === "string" ? `: ${text.slice(0, 500)}` : "";
  } catch {
    return "";
  }
}

function failed(error: string): SyncAnswer {
  return { kind: "failed", error };
}

function isSdk(answer: Answer): boolean {
  return answer.header(headerSdk) !== null || answer.header(headerSdkHandled) !== null;
}

async function carry(agent: Agent, exchange: Exchange): Promise<Answer> {
  const { method, body, headers, redirectsMax } = exchange;
  const signal = AbortSignal.timeout(exchange.ms);
  let target = exchange.url;
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const answer = await request(target, {
      dispatcher: agent,
      method,
      headers,
      signal,
      ...(body === "" ? null : { body }),
    });
    const header = (name: string): string | null => {
      const value = answer.headers[name];
      return (typeof value === "string" ? value : value?.[0]) ?? null;
    };
    const location = header("location");
    if (answer.statusCode < 300 || answer.statusCode > 399 || location === null) {
      return { status: answer.statusCode, header, body: await bounded(answer.body) };
    }
    await answer.body.dump();
    target = new URL(location, target).href;
  }
  throw new Error(`it redirected more than ${String(redirectsMax)} times`);
}

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > answerBytesMax)
      throw new Error(`its answer is longer than ${String(answerBytesMax)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "it did not answer in time";
  if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED")
    return "nothing listens there";
  return messageOf(error);
}
