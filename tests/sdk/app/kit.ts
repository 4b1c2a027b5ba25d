// What a scenario's functions are written with: the words that all SDKs share, and the few things
// that each says differently. Types only.
import type { Flavour } from "../flavours.ts";

/** An event as a function receives it. */
export interface ReceivedEvent {
  readonly id: string;
  readonly name: string;
  readonly ts: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The steps, loosely typed: what the SDKs make of types is not tried here. */
export interface Step {
  run<Args extends readonly unknown[], T>(
    id: string,
    code: (...args: Args) => T,
    ...args: Args
  ): Promise<Awaited<T>>;
  sleep(id: string, duration: string | number): Promise<void>;
  sleepUntil(id: string, moment: Date | string): Promise<void>;
  waitForEvent(id: string, options: WaitOptions): Promise<ReceivedEvent | null>;
  waitForSignal(
    id: string,
    options: SignalOptions,
  ): Promise<{ signal: string; data: unknown } | null>;
  sendSignal(
    id: string,
    signal: { signal: string; data?: unknown },
  ): Promise<{ runId?: string | null }>;
  invoke(id: string, options: InvokeOptions): Promise<unknown>;
  readonly ai: {
    infer(id: string, options: { readonly model: Model; readonly body: object }): Promise<unknown>;
  };
  sendEvent(id: string, events: NewEvent | readonly NewEvent[]): Promise<{ ids: string[] }>;
}

/** An AI model that is anywhere. */
export interface Model {
  readonly format: string;
  readonly url: string;
  readonly authKey: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface WaitOptions {
  readonly event: string;
  readonly timeout: string;
  readonly if?: string;
  readonly match?: string;
  readonly lookback?: string | false;
}

export interface SignalOptions {
  readonly signal: string;
  readonly timeout: string;
  readonly onConflict: "fail" | "replace";
}

export interface InvokeOptions {
  /** A function of this app, or what `kit.reference` gave. */
  readonly function: unknown;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly meta?: NewEvent["meta"];
  readonly timeout?: string;
}

export interface NewEvent {
  readonly name: string;
  readonly meta?: { readonly sessions?: Readonly<Record<string, string | null>> | null };
  readonly data?: Readonly<Record<string, unknown>>;
  readonly id?: string;
  readonly ts?: number;
}

export interface Logger {
  info(...parts: readonly unknown[]): void;
}

/** What a function's code receives. */
export interface Context {
  readonly event: ReceivedEvent;
  readonly events: readonly ReceivedEvent[];
  readonly step: Step;
  readonly runId: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly logger: Logger;
  /** Only in `onFailure`. */
  readonly error: Error;
  /** Sessions of the run, where the SDK knows them and there are any. */
  readonly sessions?: Readonly<Record<string, string>>;
  /** Added by the middleware of the app. */
  readonly fromMiddleware: string;
}

/** The code of a function. */
export type Code = (context: Context) => unknown;

export type Trigger =
  | { readonly event: string; readonly if?: string }
  | { readonly cron: string; readonly jitter?: string };

/** How many calls may be in flight at once. */
export interface ConcurrencyOptions {
  readonly limit: number;
  readonly key?: string;
  readonly scope?: "fn" | "env" | "account";
}

/** How often something may start. */
export interface RateOptions {
  readonly limit: number;
  readonly period: string;
  readonly key?: string;
}

export interface FunctionOptions {
  readonly id: string;
  readonly retries?: number;
  readonly onFailure?: Code;
  readonly concurrency?: number | ConcurrencyOptions | readonly ConcurrencyOptions[];
  readonly throttle?: RateOptions & { readonly burst?: number };
  readonly rateLimit?: RateOptions;
  readonly idempotency?: string;
  readonly debounce?: { readonly period: string; readonly timeout?: string; readonly key?: string };
  readonly batchEvents?: {
    readonly maxSize: number;
    readonly timeout: string;
    readonly key?: string;
    readonly if?: string;
  };
  readonly priority?: { readonly run: string };
  readonly singleton?: { readonly mode: "skip" | "cancel"; readonly key?: string };
  readonly cancelOn?: readonly {
    readonly event: string;
    readonly match?: string;
    readonly if?: string;
    readonly timeout?: string | Date;
  }[];
  readonly timeouts?: { readonly start?: string; readonly finish?: string };
}

/** What a deferred function's code receives: the run that deferred it, beside the usual. */
export interface DeferredContext extends Context {
  readonly parents: readonly { readonly runId: string; readonly fnSlug: string }[];
}

/** Functions that runs start when they have ended. */
export interface Deferring {
  /** A function that can be deferred. */
  deferred(options: FunctionOptions, code: (context: DeferredContext) => unknown): unknown;
  /** The same, and what it returns is a score of the run that deferred it; null: there is none. */
  scorer(options: FunctionOptions, code: (context: DeferredContext) => Score | null): unknown;
  /** Defers one of them until the end of the run. */
  defer(
    context: Context,
    id: string,
    options: { readonly function: unknown; readonly data?: object; readonly meta?: object },
  ): { abort(): void };
}

export interface Score {
  readonly name: string;
  readonly value: number | boolean;
}

/** One SDK in the words of the scenarios. */
export interface Kit {
  readonly flavour: Flavour;
  readonly appId: string;
  /** The SDK's own client, where scenarios need what only that SDK has. */
  readonly client?: object;
  fn(options: FunctionOptions, triggers: Trigger | readonly Trigger[], code: Code): unknown;
  /** A function of another app, or one that does not exist. */
  reference(appId: string, functionId: string): unknown;
  nonRetriable(message: string): Error;
  /** `after` in seconds. */
  retryAfter(message: string, after: number): Error;
  /** The first of several steps, in the way in which the SDK wants races to be told. */
  race<T>(context: Context, branches: () => readonly Promise<T>[]): Promise<T>;
  /** Null: the SDK cannot defer functions. */
  readonly deferring: Deferring | null;
  /** The step that has the server send a request; published SDKs name it themselves. */
  fetch(context: Context, id: string, url: string, init?: FetchInit): Promise<Response>;
  /** Tells the test; survives structured cloning. */
  note(key: string, value?: unknown): void;
}
