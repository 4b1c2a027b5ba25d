// Drives one call: lets user code run, hands recorded values back in their order, and once user
// code is blocked decides what to do with the steps it found. Everything from outside (turns of
// the event loop, clock, running a step, saving a checkpoint) comes in through `Host`.
// The rules are R5 to R12 of SPEC.md. It must not know HTTP.
import { isPermanent, isRetryAfter } from "./retry.ts";
import { Ledger, type Records } from "./ledger.ts";
import { discoveryRequest, planStep, stepNotFound, stepRan, stepThrew } from "./opcodes.ts";
import { areJoined } from "./step-promise.ts";
import type { FoundStep, RunRequest, StepRequest, WireOpcode } from "./step.ts";
import { decodeValue } from "../values/decode.ts";
import { encodeValue, type EncodedValue } from "../values/encode.ts";
import { toWireError } from "../values/wire-error.ts";

/** Takes finished steps on their way to the server while user code goes on. */
export interface Checkpoints {
  /**
   * `saved`: user code may go on; `stale`: another call has taken over, user code must stop;
   * `failed`: the server could not be reached, answer with what is `unsaved`.
   */
  add(opcode: WireOpcode): Promise<"saved" | "stale" | "failed">;
  /** Opcodes that the server does not have yet, oldest first. */
  unsaved(): readonly WireOpcode[];
  /** Whether the call has lasted as long as it may. */
  expired(): boolean;
}

/** The outside world of a call. */
export interface Host {
  /** Resolves when all microtasks have run and the event loop has turned once. */
  turn(): Promise<void>;
  /** Resolves after a time in ms. */
  sleep(ms: number): Promise<void>;
  /** ms since the epoch. */
  now(): number;
  /** Runs the code of a step, with the middleware around it. */
  runStep(step: FoundStep, request: RunRequest, args: readonly unknown[]): Promise<unknown>;
}

/** What the server asked for. */
export interface CallPlan {
  readonly records: Records;
  /** Hash of the one step to run; null for a discovery. */
  readonly target: string | null;
  /** Whether a single new step may run in this call. */
  readonly immediate: boolean;
  /** Null: answer after the first step. */
  readonly checkpoints: Checkpoints | null;
  /** Zero based. */
  readonly attempt: number;
  readonly maxAttempts: number;
}

/** What a call came to. */
export type CallOutcome =
  | { readonly kind: "returned"; readonly value: unknown }
  | { readonly kind: "threw"; readonly error: unknown; readonly fromStep: boolean }
  | { readonly kind: "ops"; readonly ops: readonly WireOpcode[]; readonly retryAfter?: unknown }
  | { readonly kind: "stale" };

/**
 * How long a targeted call waits for its step while other steps are open and user code reaches no
 * further one, ms. Giving up too early only costs one more discovery.
 */
export const targetGraceMs = 1_000;

type Ending = { readonly value: unknown } | { readonly error: unknown };

/** See the head of this file. One conductor serves one call. */
export class Conductor {
  readonly #plan: CallPlan;
  readonly #host: Host;
  readonly #ledger: Ledger;
  readonly #thrownIn = new Set<unknown>();
  #ending: Ending | null = null;
  #running = 0;
  #activity: (() => void) | null = null;

  constructor(plan: CallPlan, host: Host) {
    this.#plan = plan;
    this.#host = host;
    this.#ledger = new Ledger(plan.records);
  }

  /** Whether what user code does now is new: nothing it has done in an earlier call. */
  get live(): boolean {
    if (this.#running > 0) return true;
    return this.#plan.target === null && !this.#ledger.replaying;
  }

  /** User code asks for a step; the promise stays pending when another call shall settle it. */
  perform(request: StepRequest): Promise<unknown> {
    const step = this.#ledger.find(request);
    this.#noticed();
    return step.promise.promise;
  }

  /** Runs the function until the call has an outcome. To be called once. */
  async conduct(start: () => Promise<unknown>): Promise<CallOutcome> {
    start().then(
      (value) => this.#ended({ value }),
      (error: unknown) => this.#ended({ error }),
    );
    for (;;) {
      await this.#host.turn();
      const outcome = this.#ending === null ? await this.#advance() : this.#conclude(this.#ending);
      if (outcome !== null) return outcome;
    }
  }

  #ended(ending: Ending): void {
    this.#ending = ending;
    this.#noticed();
  }

  #noticed(): void {
    this.#activity?.();
    this.#activity = null;
  }

  #nextActivity(): Promise<void> {
    return new Promise((resolve) => {
      this.#activity = resolve;
    });
  }

  #conclude(ending: Ending): CallOutcome {
    if ("value" in ending) return { kind: "returned", value: ending.value };
    return { kind: "threw", error: ending.error, fromStep: this.#thrownIn.has(ending.error) };
  }

  /** One move; null when user code shall go on. */
  async #advance(): Promise<CallOutcome | null> {
    const target = this.#targeted();
    if (target !== null) return target;
    const recorded = this.#ledger.takeReplay();
    if (recorded !== null) {
      this.#handBack(recorded);
      return null;
    }
    const pending = this.#ledger.pending();
    if (pending.length === 0) {
      await this.#nextActivity();
      return null;
    }
    if (this.#plan.target !== null) return this.#awaitTarget(this.#plan.target);
    const [first] = pending;
    if (first !== undefined && pending.length === 1 && this.#plan.immediate) {
      const { request } = first;
      if (request.kind === "run") return this.#execute(first, request, false);
    }
    return this.#report(pending);
  }

  #handBack(step: FoundStep): void {
    if (step.memo.kind === "value") step.promise.resolve(step.memo.value);
    if (step.memo.kind === "error") {
      this.#thrownIn.add(step.memo.error);
      step.promise.reject(step.memo.error);
    }
  }

  /**
   * Runs the targeted step as soon as user code has reached it; records that it did not need to
   * get there are not handed back. Null when it is not there yet.
   */
  #targeted(): Promise<CallOutcome | null> | null {
    const step = this.#plan.target === null ? null : this.#ledger.pendingStep(this.#plan.target);
    if (step === null || step.request.kind !== "run") return null;
    const pending = this.#ledger.pending();
    const race = pending.length > 1 && !areJoined(pending.map((each) => each.promise));
    return this.#execute(step, step.request, race);
  }

  /** All records are back and the targeted step is not there: waits for it a little. */
  async #awaitTarget(target: string): Promise<CallOutcome | null> {
    let late = false;
    const grace = this.#host.sleep(targetGraceMs).then(() => {
      late = true;
    });
    await Promise.race([this.#nextActivity(), grace]);
    return late ? { kind: "ops", ops: [stepNotFound(target)] } : null;
  }

  /** The server takes over: everything that is open goes to it. */
  #report(pending: readonly FoundStep[]): CallOutcome {
    const race = pending.length > 1 && !areJoined(pending.map((step) => step.promise));
    const planned = pending.map((step) => planStep(step, race));
    return { kind: "ops", ops: [...this.#unsaved(), ...planned] };
  }

  #unsaved(): readonly WireOpcode[] {
    return this.#plan.checkpoints?.unsaved() ?? [];
  }

  async #execute(step: FoundStep, request: RunRequest, race: boolean): Promise<CallOutcome | null> {
    const startedAt = this.#host.now();
    this.#running += 1;
    let value: EncodedValue;
    try {
      const args = step.memo.kind === "input" ? step.memo.args : request.args;
      value = encodeValue(await this.#host.runStep(step, request, args));
    } catch (error) {
      return this.#failed(step, request, error, startedAt);
    } finally {
      this.#running -= 1;
    }
    const span = { startedAt, endedAt: this.#host.now() };
    return this.#recorded(step, stepRan(step, value, span, race), value);
  }

  async #recorded(
    step: FoundStep,
    opcode: WireOpcode,
    value: EncodedValue,
  ): Promise<CallOutcome | null> {
    const { checkpoints } = this.#plan;
    if (checkpoints === null) return { kind: "ops", ops: [opcode] };
    const fate = await checkpoints.add(opcode);
    if (fate === "stale") return { kind: "stale" };
    if (fate === "failed") return { kind: "ops", ops: checkpoints.unsaved() };
    if (checkpoints.expired()) {
      const again = discoveryRequest(this.#host.now());
      return { kind: "ops", ops: [...checkpoints.unsaved(), again] };
    }
    this.#ledger.settled(step);
    step.promise.resolve(decodeValue(value.data, value.types));
    return null;
  }

  #failed(step: FoundStep, request: RunRequest, error: unknown, startedAt: number): CallOutcome {
    const attempts = request.retries === null ? this.#plan.maxAttempts : request.retries + 1;
    const final = isPermanent(error) || this.#plan.attempt + 1 >= attempts;
    const span = { startedAt, endedAt: this.#host.now() };
    // A failure ends a `Promise.all` at once, so the server must not wait for its other elements.
    const parallel = this.#ledger.pending().length > 1;
    const opcode = stepThrew(step, toWireError(error), final, span, parallel);
    const ops = [...this.#unsaved(), opcode];
    if (final || !isRetryAfter(error)) return { kind: "ops", ops };
    return { kind: "ops", ops, retryAfter: error.retryAfter };
  }
}
