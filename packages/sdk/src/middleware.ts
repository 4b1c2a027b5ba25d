// Middleware: hooks around calls, steps and sends, and additions to what handlers receive.
// Hooks run in the order of the client's list on the way in and in reverse on the way out.
import type { OutgoingEvent, PawlEvent } from "./events/event-types.ts";
import type { Logger } from "./logger.ts";

/** The call that hooks are told about. */
export interface CallInfo {
  readonly functionId: string;
  readonly runId: string;
  readonly attempt: number;
  readonly event: PawlEvent;
  readonly events: readonly PawlEvent[];
  readonly logger: Logger;
}

/** A step whose code runs in this call. */
export interface StepInfo {
  /** As the function wrote it. */
  readonly id: string;
  readonly name: string;
  readonly call: CallInfo;
}

/** How code ended. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** See the head of this file. All hooks are optional; an error in a hook fails the call. */
export interface Middleware<Additions extends object = object> {
  readonly name: string;
  /** Once per client, before its first call. */
  init?(): void | Promise<void>;
  /** Once per call: members to add to what the handler receives. Later middleware wins. */
  context?(call: CallInfo): Additions | Promise<Additions>;
  /** Before the function's code runs, in every call of it: replays are calls, too. */
  onFunctionStart?(call: CallInfo): void | Promise<void>;
  /** When the function has returned or thrown; not when a call ends with an open step. */
  onFunctionEnd?(call: CallInfo, outcome: Outcome): void | Promise<void>;
  /** Before the code of a step runs; replayed steps do not run. */
  onStepStart?(step: StepInfo): void | Promise<void>;
  onStepEnd?(step: StepInfo, outcome: Outcome): void | Promise<void>;
  /** Replaces the arguments of a step's code. */
  transformInput?(
    step: StepInfo,
    args: readonly unknown[],
  ): readonly unknown[] | Promise<readonly unknown[]>;
  /** Replaces what a step returned, before it is recorded. */
  transformOutput?(step: StepInfo, value: unknown): unknown;
  /** Replaces events before they are checked and sent. */
  transformSend?(
    events: readonly OutgoingEvent[],
  ): readonly OutgoingEvent[] | Promise<readonly OutgoingEvent[]>;
}

type Merge<Earlier extends object, Later extends object> = Omit<Earlier, keyof Later> & Later;

/** What a list of middleware adds to what handlers receive. */
export type AdditionsOf<List extends readonly Middleware[]> = List extends readonly [
  ...infer Before extends readonly Middleware[],
  Middleware<infer Additions>,
]
  ? object extends Additions
    ? AdditionsOf<Before>
    : Merge<AdditionsOf<Before>, Additions>
  : Record<never, never>;

/** A list of middleware as one. */
export class MiddlewareStack {
  readonly #list: readonly Middleware[];
  #ready: Promise<void> | null = null;

  constructor(list: readonly Middleware[]) {
    this.#list = list;
  }

  /** Runs every `init` once; a failed one is tried again with the next call. */
  async init(): Promise<void> {
    this.#ready ??= this.#initAll();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = null;
      throw error;
    }
  }

  async #initAll(): Promise<void> {
    for (const each of this.#list) await each.init?.();
  }

  async context(call: CallInfo): Promise<object> {
    const additions = {};
    for (const each of this.#list) Object.assign(additions, await each.context?.(call));
    return additions;
  }

  /** Runs a function's code with the hooks around it. */
  async aroundFunction(call: CallInfo, code: () => unknown): Promise<unknown> {
    for (const each of this.#list) await each.onFunctionStart?.(call);
    const outcome = await outcomeOf(code);
    for (const each of this.#list.toReversed()) await each.onFunctionEnd?.(call, outcome);
    return unwrap(outcome);
  }

  /** Runs a step's code with the hooks around it. */
  async aroundStep(
    step: StepInfo,
    args: readonly unknown[],
    code: (args: readonly unknown[]) => unknown,
  ): Promise<unknown> {
    if (this.#list.length === 0) return code(args);
    for (const each of this.#list) await each.onStepStart?.(step);
    const outcome = await outcomeOf(async () => {
      let input = args;
      for (const each of this.#list) input = (await each.transformInput?.(step, input)) ?? input;
      let value = await code(input);
      for (const each of this.#list.toReversed()) {
        if (each.transformOutput !== undefined) value = await each.transformOutput(step, value);
      }
      return value;
    });
    for (const each of this.#list.toReversed()) await each.onStepEnd?.(step, outcome);
    return unwrap(outcome);
  }

  async transformSend(events: readonly OutgoingEvent[]): Promise<readonly OutgoingEvent[]> {
    let transformed = events;
    for (const each of this.#list) {
      transformed = (await each.transformSend?.(transformed)) ?? transformed;
    }
    return transformed;
  }
}

async function outcomeOf(code: () => unknown): Promise<Outcome> {
  try {
    return { value: await code() };
  } catch (error) {
    return { error };
  }
}

function unwrap(outcome: Outcome): unknown {
  if ("value" in outcome) return outcome.value;
  throw outcome.error;
}
