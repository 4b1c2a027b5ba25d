// The vocabulary in which `expected-answers.ts` says what a recorded answer means: what the engine
// would do with it, without the texts. It must not know the readers.
import type { AppName } from "./fixture-files.ts";

/** The time at which the recorded answers arrive in the tests; an hour before their retry times. */
export const arrivedAt = 1_799_996_400_000;
/** What the recorder put for every time near the recording, without and with its fraction. */
export const fixedTime = 1_800_000_000_000;
export const fixedTimeAndFraction = 1_800_000_000_555;
export const hour = 3_600_000;

/** One opcode, by what the engine would do with it. `step` is the user's id with `:n` of a repeat. */
export type OpMeaning = { readonly op: string; readonly step: string } & Record<string, unknown>;

export type Meaning =
  | { readonly completed: unknown }
  | { readonly failed: string; readonly noRetry: boolean; readonly retryAfterMs: number | null }
  | { readonly ops: readonly OpMeaning[]; readonly retryAfterMs: number | null };

export type PerApp<T> = Readonly<Record<AppName, T>>;

export function each<T>(make: (app: AppName) => T): PerApp<T> {
  return { python: make("python"), go: make("go"), js3: make("js3"), js4: make("js4") };
}

export const isJs = (app: AppName): boolean => app === "js3" || app === "js4";
export const completed = (value: unknown): Meaning => ({ completed: value });
export const ops = (...list: OpMeaning[]): Meaning => ({ ops: list, retryAfterMs: null });
/** `error` is `<name>: <message>`. */
export const failed = (
  error: string,
  noRetry = false,
  retryAfterMs: number | null = null,
): Meaning => ({
  failed: error,
  noRetry,
  retryAfterMs,
});

/** An opcode with what most share; JavaScript and Python say a display name, Go does not. */
export const op = (
  kind: string,
  step: string,
  fields: Record<string, unknown> = {},
): OpMeaning => ({
  op: kind,
  step,
  displayName: step.replace(/:\d+$/, ""),
  race: false,
  stepType: null,
  ...fields,
});

export const startedAt = (app: AppName): number | null => (app === "python" ? null : fixedTime);
export const ran = (app: AppName, step: string, data: unknown, fields = {}): OpMeaning =>
  op("StepRun", step, { data, startedAt: startedAt(app), ...fields });
export const slept = (step: string, until: unknown, fields = {}): OpMeaning =>
  op("Sleep", step, { until, ...fields });
export const deferred = (step: string, input: string): OpMeaning =>
  op("DeferAdd", step, { functionSlug: "shop-deferred", input, meta: null, problem: null });
/** The one request that all SDKs were recorded with. */
export const fetches = (step: string): OpMeaning =>
  op("Gateway", step, {
    stepType: "step.fetch",
    kind: "fetch",
    request: {
      url: "http://127.0.0.1:9/none",
      method: "POST",
      headers: { "x-a": "1" },
      body: '{"q":1}',
    },
  });
export const notFound = ops({
  ...op("StepNotFound", ""),
  displayName: "a6dfdeaa3a44a4c52d44284847d7160892b4017e",
});

export const big = (app: AppName): number => (isJs(app) ? 1e21 : 9007199254740992);
export const memoOrder = { order: 7, note: "café <b> & “quotes”" };
export const order = (app: AppName): unknown => ({ ...memoOrder, big: big(app) });
export const ids = ["01KAGW00000000000000000001", "01KAGW00000000000000000002"];
export const declined = "card <declined> & lost";
