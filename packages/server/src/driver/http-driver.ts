// Carries calls over HTTP (protocol.md 2.1 and 2.3): one POST per call over keep-alive
// connections, with a time limit, a size limit and redirects; every outcome becomes an answer.
// What an answer means is told by the protocol package; this must not know runs or retries.
import type { Answer } from "@pawl/protocol/answer";
import { answerBytesMax, answerFromHttp, oversizedAnswer } from "@pawl/protocol/answer-wire";
import {
  headerGenerationId,
  headerJobId,
  headerRequestId,
  headerServerKind,
  headerSignature,
} from "@pawl/protocol/headers";
import { messageOf } from "../server-error.ts";
import type { Clock, TimerHandle } from "../loop/clock.ts";
import { AppPools, defaultPoolLimits, type PoolLimits } from "./app-pools.ts";
import type { Call, Carriage, Driver } from "./driver.ts";
import { callFailure, transportFailure, withoutQuery } from "./failure.ts";
import { HttpExchange, headerOf, type Ended } from "./http-exchange.ts";
import { signatureProblem, signCall, type Signing } from "./http-signature.ts";

export interface HttpDriverOptions {
  readonly clock: Clock;
  /** `dev`: no keys; `cloud` is the wire's word for production. */
  readonly serverKind: "dev" | "cloud";
  /** Null: requests go out unsigned and answers are believed. */
  readonly signing: Signing | null;
  readonly userAgent: string;
  /** UTF-8 bytes of a response body. */
  readonly answerBytesMax: number;
  readonly redirectsMax: number;
  readonly pools: PoolLimits;
}

const decoder = new TextDecoder();

/** The documented limits, for a server without keys. */
export function defaultHttpDriverOptions(clock: Clock): HttpDriverOptions {
  return {
    clock,
    serverKind: "dev",
    signing: null,
    userAgent: "pawl",
    answerBytesMax,
    redirectsMax: 10,
    pools: defaultPoolLimits,
  };
}

export class HttpDriver implements Driver {
  readonly schemes = ["http:", "https:"];
  readonly #options: HttpDriverOptions;
  readonly #pools: AppPools;

  constructor(options: HttpDriverOptions) {
    this.#options = options;
    this.#pools = new AppPools(options.pools);
  }

  carry(call: Call): Carriage {
    return new HttpCarriage(call, this.#options, this.#pools);
  }

  close(): Promise<void> {
    return this.#pools.close();
  }
}

class HttpCarriage implements Carriage {
  readonly answer: Promise<Answer>;
  readonly #call: Call;
  readonly #options: HttpDriverOptions;
  readonly #pools: AppPools;
  readonly #timer: TimerHandle;
  #headers: Record<string, string> = {};
  #exchange: HttpExchange | null = null;
  #redirects = 0;
  #over = false;
  #resolve: (answer: Answer) => void = () => undefined;

  constructor(call: Call, options: HttpDriverOptions, pools: AppPools) {
    this.#call = call;
    this.#options = options;
    this.#pools = pools;
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = options.clock.after(call.timeoutMs, () => this.#timeOut());
    try {
      this.#headers = headersOf(call, options);
      this.#send(call.url);
    } catch (error) {
      const where = withoutQuery(call.url);
      this.#finish(
        callFailure(
          "dispatch_fault",
          `The call to ${where} could not be sent: ${messageOf(error)}.`,
        ),
      );
    }
  }

  abort(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#exchange?.abort("the call no longer matters");
  }

  #send(url: string): void {
    const { origin, path } = splitUrl(url);
    const exchange = new HttpExchange(this.#options.answerBytesMax, (ended) =>
      this.#ended(url, ended),
    );
    this.#exchange = exchange;
    const { http, body } = this.#call;
    this.#pools.pool(this.#call.appId, origin).dispatch(
      {
        origin,
        path,
        method: http?.method ?? "POST",
        headers: this.#headers,
        body: http !== undefined && body === "" ? null : body,
      },
      exchange,
    );
  }

  #ended(url: string, ended: Ended): void {
    if (this.#over) return;
    try {
      this.#judge(url, ended);
    } catch (error) {
      const message = `What ${withoutQuery(url)} answered could not be taken: ${messageOf(error)}.`;
      this.#finish(callFailure("dispatch_fault", message));
    }
  }

  #judge(url: string, ended: Ended): void {
    const { answerBytesMax: bytesMax, signing, clock } = this.#options;
    if (ended.kind === "broken") {
      this.#finish(transportFailure(url, ended.error, ended.answered));
      return;
    }
    if (ended.kind === "tooLarge") {
      this.#finish(oversizedAnswer(bytesMax));
      return;
    }
    const { status, headers } = ended;
    const body = decoder.decode(ended.bytes);
    const location = isRedirect(status) ? headerOf(headers, "location") : null;
    if (location !== null) {
      this.#redirect(url, location);
      return;
    }
    const now = clock.now();
    const problem =
      signing === null ? null : signatureProblem(signing, { status, headers, body }, now);
    if (problem !== null) {
      const message = `The answer of ${withoutQuery(url)} is not signed by the app: ${problem} Check that app and server have the same signing key.`;
      this.#finish(callFailure("sig_verification_failed", message));
      return;
    }
    const header = (name: string): string | null => headerOf(headers, name);
    this.#finish(answerFromHttp({ status, header, body, now, bodyBytesMax: bytesMax }));
  }

  #redirect(from: string, location: string): void {
    const { redirectsMax } = this.#options;
    const target = redirectTarget(from, location);
    if (target === null || ++this.#redirects > redirectsMax) {
      const fault =
        target === null
          ? `to "${location}", which is no HTTP URL`
          : `more than ${redirectsMax} times`;
      const message = `${withoutQuery(this.#call.url)} redirects ${fault}. Register the app with the URL at which it answers.`;
      this.#finish(callFailure("http_redirect_invalid", message));
      return;
    }
    this.#send(target);
  }

  #timeOut(): void {
    if (this.#over) return;
    this.#exchange?.abort("the call takes too long");
    const message = `${withoutQuery(this.#call.url)} did not finish its answer within ${this.#call.timeoutMs / 1_000} s. Split the work into steps, or raise the limit of a call (callTimeoutMs).`;
    this.#finish(callFailure("http_timeout", message));
  }

  #finish(answer: Answer): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#resolve(answer);
  }
}

function headersOf(call: Call, options: HttpDriverOptions): Record<string, string> {
  const headers: Record<string, string> = {
    ...typeOf(call),
    "user-agent": options.userAgent,
    [headerServerKind]: options.serverKind,
    [headerRequestId]: call.requestId,
    traceparent: call.traceparent,
    tracestate: call.tracestate,
    [headerJobId]: call.jobId,
    [headerGenerationId]: String(call.generation),
    ...call.http?.headers,
  };
  if (options.signing !== null) {
    headers[headerSignature] = signCall(options.signing, call.body, options.clock.now());
  } else if (call.http !== undefined) {
    // An endpoint takes a request without this header for one of its own users.
    headers[headerSignature] = "";
  }
  return headers;
}

function typeOf({ http }: Call): Record<string, string> {
  if (http === undefined) return { "content-type": "application/json" };
  return http.contentType === "" ? {} : { "content-type": http.contentType };
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** Where a redirect leads, with what the query had before; null when it is not HTTP. */
function redirectTarget(from: string, location: string): string | null {
  const source = new URL(from);
  const target = URL.parse(location, from);
  if (target === null || (target.protocol !== "http:" && target.protocol !== "https:")) return null;
  for (const [name, value] of source.searchParams) {
    if (!target.searchParams.has(name)) target.searchParams.append(name, value);
  }
  target.hash = "";
  return target.href;
}

/** Splits a normalised URL without parsing it again. */
function splitUrl(url: string): { origin: string; path: string } {
  const slash = url.indexOf("/", url.indexOf("//") + 2);
  return slash === -1
    ? { origin: url, path: "/" }
    : { origin: url.slice(0, slash), path: url.slice(slash) };
}
