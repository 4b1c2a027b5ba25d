// The driver of calls that no app takes: `step.fetch` and `step.ai.infer`, performed by the server
// itself (protocol.md 5.4). To the engine it is a driver as any other: a lost, late or failed call
// is treated by the same rules. It must not know runs, stores or retries.
import type { Answer } from "@pawl/protocol/answer";
import {
  type GatewayKind,
  type GatewayRequest,
  parseGatewayRequest,
} from "@pawl/protocol/gateway-wire";
import type { JsonText } from "@pawl/protocol/json-text";
import type { buildConnector } from "undici";
import type { Call, Carriage, Driver, GatewayStep } from "../driver/driver.ts";
import { callFailure } from "../driver/failure.ts";
import type { Clock } from "../loop/clock.ts";
import { messageOf } from "../server-error.ts";
import { AddressGuard, type GuardOptions } from "./address-guard.ts";
import { answerOf, failureAnswer } from "./gateway-answer.ts";
import { GatewayFailure, nameOfRequest } from "./gateway-failure.ts";
import { performRequest, type GatewayLimits } from "./gateway-request.ts";
import { guardedConnector, systemResolve, type Resolve } from "./guarded-connect.ts";

/** How a request ended, for those who count: with a status, without one, or given up. */
export type GatewayOutcome = "answered" | "failed" | "aborted";

export interface GatewayOptions {
  readonly clock: Clock;
  readonly userAgent: string;
  readonly limits: GatewayLimits;
  readonly guard: GuardOptions;
  readonly resolve: Resolve;
  /** Told once of each request. */
  readonly onOutcome: (kind: GatewayKind, outcome: GatewayOutcome) => void;
}

/** What differs from server to server is given. */
export function gatewayOptions(
  given: Pick<GatewayOptions, "clock" | "limits" | "guard"> & Partial<GatewayOptions>,
): GatewayOptions {
  return { userAgent: "pawl", resolve: systemResolve, onOutcome: () => undefined, ...given };
}

export class GatewayDriver implements Driver {
  readonly schemes = ["gateway:"];
  readonly #options: GatewayOptions;
  readonly #guard: AddressGuard;
  readonly #connect: buildConnector.connector;
  readonly #underWay = new Set<AbortController>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#guard = new AddressGuard(options.guard);
    const { connectTimeoutMs } = options.limits;
    this.#connect = guardedConnector(this.#guard, options.resolve, connectTimeoutMs);
  }

  carry(call: Call): Carriage {
    const step = call.gateway;
    if (step === null) {
      const answer = callFailure("driver_missing", "An app cannot be called here.");
      return { answer: Promise.resolve(answer), abort: () => undefined };
    }
    const aborter = new AbortController();
    /** False: it was over already. */
    const end = (outcome: GatewayOutcome): boolean => {
      if (!this.#underWay.delete(aborter)) return false;
      this.#options.onOutcome(step.kind, outcome);
      return true;
    };
    this.#underWay.add(aborter);
    const answer = new Promise<Answer>((resolve) => {
      void this.#answer(call, step, aborter).then((found) => {
        if (end(found.outcome)) resolve(found.answer);
      });
    });
    const abort = (): void => {
      if (end("aborted")) aborter.abort(new Error("given up"));
    };
    return { answer, abort };
  }

  async close(): Promise<void> {
    const underWay = [...this.#underWay];
    this.#underWay.clear();
    for (const aborter of underWay) aborter.abort(new Error("the server stops"));
  }

  /** Never rejects. */
  async #answer(
    call: Call,
    step: GatewayStep,
    aborter: AbortController,
  ): Promise<{ readonly answer: Answer; readonly outcome: GatewayOutcome }> {
    try {
      const request = this.#requestOf(call, step);
      const response = await this.#perform(request, step.kind, aborter);
      const answer = answerOf(step, request, response, this.#options.clock.now());
      return { answer, outcome: "answered" };
    } catch (error) {
      const failure =
        error instanceof GatewayFailure
          ? error
          : new GatewayFailure("gateway_fault", `The request failed: ${messageOf(error)}.`);
      return { answer: failureAnswer(step, failure), outcome: "failed" };
    }
  }

  async #perform(request: GatewayRequest, kind: GatewayKind, aborter: AbortController) {
    const { clock, limits } = this.#options;
    const timer = clock.after(limits.timeoutMs, () => {
      const where = nameOfRequest(request.method, request.url);
      const message = `${where} was not done within ${String(limits.timeoutMs / 1_000)} s (limit gateway-timeout).`;
      aborter.abort(new GatewayFailure("gateway_timeout", message));
    });
    try {
      return await performRequest(request, {
        guard: this.#guard,
        connect: this.#connect,
        limits,
        // A key is not carried to wherever a provider points.
        followRedirects: kind === "fetch",
        signal: aborter.signal,
      });
    } finally {
      timer.cancel();
    }
  }

  /** The request as kept, with what every request of this server has. */
  #requestOf(call: Call, step: GatewayStep): GatewayRequest {
    // proof: the engine keeps it as the protocol package wrote it
    const request = parseGatewayRequest(call.body as JsonText);
    const headers: Record<string, string> = {
      accept: "*/*",
      "accept-encoding": "gzip, deflate, br",
      "user-agent": this.#options.userAgent,
    };
    if (!safeMethods.has(request.method))
      headers["idempotency-key"] = `${call.runId}-${step.face.id}`;
    return { ...request, headers: { ...headers, ...request.headers } };
  }
}

/** Methods that change nothing, however often they come. */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
