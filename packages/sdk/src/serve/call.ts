// Answers a call of the server: builds what the handler receives, conducts the replay, and writes
// what it came to as an HTTP answer (protocol.md 2.3).
import { headerNoRetry, headerRequestVersion, headerRetryAfter } from "@pawl/protocol/headers";
import type { Connection } from "../client/connection.ts";
import { sendEvents } from "../client/send.ts";
import { sendSignal } from "../client/signals.ts";
import { momentMs, durationMs } from "../durations.ts";
import { decodeEvent, decodeReport } from "../events/decode-event.ts";
import type { PawlEvent } from "../events/event-types.ts";
import type { PawlFunction } from "../functions/pawl-function.ts";
import type { HandlerBase } from "../handler-context.ts";
import { gatedLogger } from "../logger.ts";
import type { CallInfo } from "../middleware.ts";
import { Conductor, type CallOutcome, type Host } from "../replay/conductor.ts";
import { runCompleted } from "../replay/opcodes.ts";
import { isPermanent, isRetryAfter } from "../replay/retry.ts";
import { stepScope } from "../replay/step-scope.ts";
import { makeStepTools } from "../steps/make-step-tools.ts";
import { encodeValue } from "../values/encode.ts";
import { fromWireError, toWireError } from "../values/wire-error.ts";
import { readCall, type CallRequest } from "./call-request.ts";
import { Checkpointer } from "./checkpointer.ts";
import { json, type ServeRequest, type ServeResponse } from "./messages.ts";

/**
 * Execution version of this SDK. Like version 2 (protocol.md 2.4), a parallel group is gathered
 * unless it is a race; and after steps of a race there is one discovery at a time.
 */
const requestVersion = "3";
const versionHeader = { [headerRequestVersion]: requestVersion };

/** A function as it was called: by its slug, or by that of its `onFailure`. */
export interface CalledFunction {
  readonly function: PawlFunction;
  readonly slug: string;
}

/** See the head of this file. Never throws. */
export async function answerCall(
  connection: Connection,
  called: CalledFunction,
  request: ServeRequest,
): Promise<ServeResponse> {
  try {
    const call = await readCall(connection, request);
    return await new Call(connection, called, call, request).answer();
  } catch (error) {
    return failure(connection, error, false);
  }
}

class Call {
  readonly #connection: Connection;
  readonly #called: CalledFunction;
  readonly #call: CallRequest;
  readonly #request: ServeRequest;
  readonly #checkpointer: Checkpointer | null;
  readonly #conductor: Conductor;
  readonly #info: CallInfo;

  constructor(
    connection: Connection,
    called: CalledFunction,
    call: CallRequest,
    request: ServeRequest,
  ) {
    this.#connection = connection;
    this.#called = called;
    this.#call = call;
    this.#request = request;
    this.#checkpointer = this.#makeCheckpointer();
    this.#conductor = this.#makeConductor();
    this.#info = this.#makeInfo();
  }

  async answer(): Promise<ServeResponse> {
    await this.#connection.middleware.init();
    const outcome = await this.#conductor.conduct(() => this.#runHandler());
    return this.#write(outcome);
  }

  /** A repeated call answers after its first step, so that the server sees the attempts end. */
  #makeCheckpointer(): Checkpointer | null {
    const { functionUuid, target, immediate, attempt } = this.#call;
    const options = this.#called.function.settings.checkpointing ?? this.#connection.checkpointing;
    if (options === false || functionUuid === null || target !== null) return null;
    if (!immediate || attempt > 0) return null;
    return new Checkpointer(this.#connection, this.#call, options === true ? {} : options);
  }

  #makeConductor(): Conductor {
    const { memos, order, target, immediate, attempt, maxAttempts } = this.#call;
    const { runtime, middleware } = this.#connection;
    const host: Host = {
      turn: () => runtime.turn(),
      sleep: (ms) => runtime.sleep(ms),
      now: () => runtime.now(),
      runStep: ({ hash }, { id, name, execute }, args) =>
        stepScope.run(id, () =>
          middleware.aroundStep({ id, name, call: this.#info }, args, (input) =>
            execute(input, hash),
          ),
        ),
    };
    const checkpoints = this.#checkpointer;
    const records = { memos, order };
    return new Conductor({ records, target, immediate, checkpoints, attempt, maxAttempts }, host);
  }

  #makeInfo(): CallInfo {
    const { runId, attempt } = this.#call;
    const decode = this.#isFailureHandler() ? decodeReport : decodeEvent;
    // proof: the server sends events with the members that PawlEvent names (protocol.md 2.1)
    const events = this.#call.events.map((event) => decode(event) as PawlEvent);
    const [event] = events;
    if (event === undefined) throw new TypeError("a call has at least one event");
    const logger = gatedLogger(this.#connection.logger, () => this.#conductor.live);
    return { functionId: this.#called.function.id, runId, attempt, event, events, logger };
  }

  #isFailureHandler(): boolean {
    return this.#called.function.handlerOf(this.#called.slug)?.onFailure === true;
  }

  async #runHandler(): Promise<unknown> {
    const { middleware } = this.#connection;
    const handler = this.#called.function.handlerOf(this.#called.slug);
    if (handler === null) throw new TypeError("the caller has found the function by this slug");
    const context = { ...this.#context(), ...(await middleware.context(this.#info)) };
    return middleware.aroundFunction(this.#info, () => handler.code(context));
  }

  #context(): HandlerBase {
    const step = makeStepTools({
      appId: this.#connection.appId,
      runId: this.#call.runId,
      perform: (request) => this.#conductor.perform(request),
      send: (events) => sendEvents(this.#connection, events),
      signal: (signal, id) => sendSignal(this.#connection, signal, id),
    });
    const signal = this.#request.signal ?? new AbortController().signal;
    const { maxAttempts } = this.#call;
    const base = { ...this.#info, step, maxAttempts, signal };
    if (!this.#isFailureHandler()) return base;
    const { error, event } = this.#info.event.data;
    return Object.assign(base, { error: fromWireError(error), originalEvent: event });
  }

  async #write(outcome: CallOutcome): Promise<ServeResponse> {
    switch (outcome.kind) {
      case "returned":
        return this.#returned(outcome.value);
      case "threw":
        return this.#threw(outcome.error, outcome.fromStep);
      case "ops": {
        const later = retryAfterHeader(this.#connection, outcome.retryAfter);
        return json(206, outcome.ops, { ...versionHeader, ...later });
      }
      case "stale":
        return staleAnswer();
    }
  }

  #returned(value: unknown): ServeResponse {
    let encoded: ReturnType<typeof encodeValue>;
    try {
      encoded = encodeValue(value);
    } catch (error) {
      return failure(this.#connection, error, false);
    }
    const unsaved = this.#checkpointer?.unsaved() ?? [];
    if (unsaved.length === 0 && encoded.types === null) {
      return json(200, encoded.data, versionHeader);
    }
    return json(206, [...unsaved, runCompleted(encoded)], versionHeader);
  }

  /** Finished steps go first; when they cannot, the next call meets the same error again. */
  async #threw(error: unknown, fromStep: boolean): Promise<ServeResponse> {
    const fate = (await this.#checkpointer?.flush()) ?? "saved";
    if (fate === "stale") return staleAnswer();
    if (fate === "failed") return json(206, this.#checkpointer?.unsaved() ?? [], versionHeader);
    return failure(this.#connection, error, fromStep);
  }
}

/** Nobody listens any more: another call has taken the run over. */
function staleAnswer(): ServeResponse {
  const error = { name: "StaleCallError", message: "Another call has taken this run over." };
  return json(400, error, { ...versionHeader, [headerNoRetry]: "true" });
}

/** `settled`: the error came out of a step that has failed for good, so trying again is pointless. */
function failure(connection: Connection, error: unknown, settled: boolean): ServeResponse {
  const permanent = settled || isPermanent(error);
  const later = isRetryAfter(error) ? retryAfterHeader(connection, error.retryAfter) : {};
  const headers = { ...versionHeader, [headerNoRetry]: String(permanent), ...later };
  return json(permanent ? 400 : 500, toWireError(error), headers);
}

/** Seconds, rounded up; a moment becomes the time until then. Nonsense is left to the server. */
function retryAfterHeader(connection: Connection, value: unknown): Record<string, string> {
  const ms = retryAfterMs(connection, value);
  return ms === null ? {} : { [headerRetryAfter]: String(Math.max(1, Math.ceil(ms / 1_000))) };
}

function retryAfterMs(connection: Connection, value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value * 1_000 : null;
  const now = connection.runtime.now();
  try {
    if (typeof value === "string") return durationMs(value, "retryAfter");
    if (value instanceof Date) return momentMs(value, "retryAfter") - now;
  } catch {
    if (typeof value === "string") return momentOrNull(value, now);
  }
  return null;
}

function momentOrNull(text: string, now: number): number | null {
  try {
    return momentMs(text, "retryAfter") - now;
  } catch {
    return null;
  }
}
