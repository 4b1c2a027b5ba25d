// Hands leased calls to drivers and their answers back to the loop. It keeps what is under way,
// and nothing else; it must not know transports, nor what an answer leads to.
import type { Answer } from "@pawl/protocol/answer";
import type { Effect } from "@pawl/engine/effects";
import type { StateView } from "@pawl/engine/state/view";
import type { CommandInput } from "../loop/batch.ts";
import type { Clock } from "../loop/clock.ts";
import type { Log } from "../loop/log.ts";
import { CallTimesMeter } from "../metrics/call-times.ts";
import type { CallMoment } from "../metrics/function-meter.ts";
import { messageOf } from "../server-error.ts";
import type { Call, Carriage, DriverRegistry } from "./driver.ts";
import { callFailure, withoutQuery } from "./failure.ts";
import { buildCall, type CallEffect, type RequestOptions } from "./request.ts";

export interface DispatcherParts {
  readonly drivers: DriverRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly request: RequestOptions;
  /** Hands `call.answered` to the loop; settles when it was decided and committed. */
  readonly report: (command: CommandInput) => Promise<unknown>;
  /** Told of each call that is sent or answered. */
  readonly onCall?: (functionId: string, moment: CallMoment) => void;
}

type AbortEffect = Extract<Effect, { type: "abort" }>;
type CallName = Pick<CallEffect, "runId" | "jobId" | "generation">;

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #underWay = new Map<string, { readonly carriage: Carriage; readonly call: Call }>();
  /** Calls whose answers are with the loop and not yet committed. */
  readonly #reporting = new Set<string>();
  /** How long calls took. */
  readonly times = new CallTimesMeter();
  #whenIdle: (() => void)[] = [];
  #stopped = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Calls sent and not yet answered. */
  get size(): number {
    return this.#underWay.size;
  }

  /** How many calls of each function are under way. */
  countByFunction(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { call } of this.#underWay.values())
      counts.set(call.functionId, (counts.get(call.functionId) ?? 0) + 1);
    return counts;
  }

  /** Whether the call is under way, or its answer on its way to the store. */
  holds(call: CallName): boolean {
    const key = keyOf(call);
    return this.#underWay.has(key) || this.#reporting.has(key);
  }

  /**
   * Builds the request now, from the state as just decided, and returns how to send it once that
   * state is committed: an app is never shown a step that the disk does not have. Never throws.
   */
  prepare(effect: CallEffect, state: StateView): () => void {
    const functionId = state.run(effect.runId)?.run.functionId;
    if (functionId !== undefined && state.functionById(functionId) === undefined) {
      const answer = callFailure(
        "function_unregistered",
        `The function ${functionId} of run ${effect.runId} is no longer part of its app. Sync the app with the function in it, or cancel the run.`,
      );
      return () => void this.#report(effect, this.#parts.clock.now(), answer);
    }
    try {
      const call = buildCall(effect, state, this.#parts.request);
      return () => this.#send(call);
    } catch (fault) {
      this.#parts.log.error(
        { err: fault, runId: effect.runId, jobId: effect.jobId },
        "a call could not be built",
      );
      const answer = callFailure(
        "dispatch_fault",
        `The call could not be built: ${messageOf(fault)}.`,
      );
      return () => void this.#report(effect, this.#parts.clock.now(), answer);
    }
  }

  /** Gives up a call; nothing comes back for it. */
  abort(effect: AbortEffect): void {
    const key = keyOf(effect);
    const call = this.#underWay.get(key);
    if (call === undefined) return;
    call.carriage.abort();
    this.#done(key);
  }

  /** Sends nothing from now on: leased calls that come are left to whoever owns the store next. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    if (this.#underWay.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Gives up what is under way. */
  abortAll(): void {
    for (const [key, { carriage }] of this.#underWay) {
      carriage.abort();
      this.#done(key);
    }
  }

  /** Gives up what is under way and not among these. */
  abortAllBut(calls: readonly CallName[]): void {
    const kept = new Set(calls.map(keyOf));
    for (const [key, { carriage }] of this.#underWay) {
      if (kept.has(key)) continue;
      carriage.abort();
      this.#done(key);
    }
  }

  #send(call: Call): void {
    if (this.#stopped) return;
    const sentAt = this.#parts.clock.now();
    const driver = this.#parts.drivers.find(call.url);
    if (driver === undefined) {
      const message = `Nothing here can call ${withoutQuery(call.url)}. Register the app with a URL of one of ${this.#parts.drivers.schemes.join(" ")}`;
      void this.#report(call, sentAt, callFailure("driver_missing", message));
      return;
    }
    const key = keyOf(call);
    const carriage = driver.carry(call);
    this.#underWay.set(key, { carriage, call });
    this.#parts.onCall?.(call.functionId, "sent");
    void carriage.answer.then((answer) => {
      if (this.#underWay.get(key)?.carriage !== carriage) return;
      this.times.observe(call.functionId, this.#parts.clock.now() - sentAt);
      this.#parts.onCall?.(call.functionId, answer.kind === "failed" ? "failed" : "answered");
      void this.#report(call, sentAt, answer);
      this.#done(key);
    });
  }

  async #report(call: CallName, sentAt: number, answer: Answer): Promise<void> {
    const { runId, jobId, generation } = call;
    const key = keyOf(call);
    this.#reporting.add(key);
    try {
      await this.#parts.report({ type: "call.answered", runId, jobId, generation, sentAt, answer });
    } catch (error) {
      if (this.#stopped) return; // the call is found again as lost
      this.#parts.log.error(
        { err: error, runId, jobId, generation },
        "an answer could not be taken",
      );
      await this.#reportFault({ runId, jobId, generation }, sentAt, error);
    } finally {
      this.#reporting.delete(key);
    }
  }

  /** The answer itself is at fault: a failure in its place keeps the run from being stuck. */
  async #reportFault(call: CallName, sentAt: number, fault: unknown): Promise<void> {
    const answer = callFailure(
      "dispatch_fault",
      `The app's answer could not be taken: ${messageOf(fault)}`,
    );
    try {
      await this.#parts.report({ type: "call.answered", ...call, sentAt, answer });
    } catch (error) {
      this.#parts.log.error(
        { err: error, ...call },
        "the run waits until the server is started again",
      );
    }
  }

  #done(key: string): void {
    this.#underWay.delete(key);
    if (this.#underWay.size > 0) return;
    for (const listener of this.#whenIdle.splice(0)) listener();
  }
}

function keyOf({ runId, jobId, generation }: CallName): string {
  return `${runId}/${jobId}/${generation}`;
}
