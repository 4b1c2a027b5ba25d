// What every recorded answer of the published SDKs means, as the readers of `@pawl/protocol` must
// see it: a table from the name of an exchange to its meaning for each app. Texts of payloads are
// compared elsewhere, to the letter; here they are compared as values.
import type { AppName } from "./fixture-files.ts";
import {
  deferred,
  type Meaning,
  type OpMeaning,
  type PerApp,
  completed,
  declined,
  each,
  failed,
  fetches,
  fixedTimeAndFraction,
  hour,
  ids,
  isJs,
  memoOrder,
  notFound,
  op,
  ops,
  order,
  ran,
  slept,
} from "./meaning.ts";

const load = each((app) =>
  ops(ran(app, "load", order(app), isJs(app) ? { displayName: "Load the order" } : {})),
);
const announced = (app: AppName): Meaning =>
  isJs(app)
    ? ops(ran(app, "announce", { ids }, { stepType: "step.sendEvent" }))
    : ops(ran(app, "announce", ids));
const invokes = op("InvokeFunction", "child", {
  functionSlug: "shop-result",
  data: { a: 1 },
  user: null,
  version: null,
  meta: null,
  timeout: { forMs: 300_000 },
});
const finished = (app: AppName): unknown => ({
  first: memoOrder,
  paid: "shop/paid",
  invoked: memoOrder,
  sent: ["1", "2"],
  ...(app === "go" ? { waitError: null, invokeError: null } : {}),
});
/** A step's recorded error that the function lets through. */
const rethrown: PerApp<Meaning> = {
  python: failed(`RangeError: ${declined}`, true),
  go: failed(`Error: unhandled step error: ${declined}`, true),
  js3: failed(`Error: ${declined}`, true),
  js4: failed(`RangeError: ${declined}`, true),
};

const sequential: Record<string, PerApp<Meaning>> = {
  result: each((app) => completed(order(app))),
  "result-null": each(() => completed(null)),
  "steps-1-run": load,
  "steps-2-sleep": {
    python: ops(slept("nap", { at: fixedTimeAndFraction })),
    go: ops(slept("nap", { forMs: 26 * hour + 3_500 })),
    js3: ops(slept("nap", { forMs: 26 * hour })),
    js4: ops(slept("nap", { forMs: 26 * hour })),
  },
  "steps-3-sleep-until": each((app) =>
    ops(slept("until", app === "go" ? { forMs: hour } : { at: fixedTimeAndFraction })),
  ),
  "steps-4-wait-for-event": each(() =>
    ops(
      op("WaitForEvent", "paid", {
        event: "shop/paid",
        expression: "async.data.id == event.data.id",
        timeout: { forMs: 72 * hour },
        lookback: null,
      }),
    ),
  ),
  "steps-5-invoke": each(() => ops(invokes)),
  "steps-5-invoke-after-wait-timeout": each(() => ops(invokes)),
  "steps-6-send-event": each(announced),
  "steps-7-return": each((app) => completed(finished(app))),
  "steps-invoke-failed": { ...rethrown, go: announced("go") },
  "repeats-1": each((app) => ops(ran(app, "same", "x"))),
  "repeats-3": each((app) => ops(ran(app, "same:2", "x"))),
  "plan-only": each(() => ops(op("StepPlanned", "same"))),
};

/** Steps that are not there any more, inputs that were edited, opcodes that are not served. */
const unusual: Record<string, Partial<PerApp<Meaning>>> = {
  "target-missing": {
    python: failed('StepUnexpectedError: found step "same" when targeting a different step'),
    go: completed(null),
    js3: notFound,
    js4: notFound,
  },
  // Only JavaScript knows edited inputs: Python takes one for the step's result.
  "input-edited": {
    python: ops(ran("python", "same:1", "x")),
    go: failed(
      "Error: error unmarshalling state for step 'same': json: cannot unmarshal object into Go value of type string",
    ),
    js3: ops(ran("js3", "same", "x")),
    js4: ops(ran("js4", "same", "x")),
  },
  "input-edited-target": {
    python: failed('StepUnexpectedError: found step "same" when targeting a different step'),
    go: failed(
      "Error: error unmarshalling state for step 'same': json: cannot unmarshal object into Go value of type string",
    ),
    js3: ops(ran("js3", "same", "x")),
    js4: ops(ran("js4", "same", "x")),
  },
  "wait-signal": {
    go: ops(approval("fail")),
    js3: ops(approval("replace")),
    js4: ops(approval("replace")),
  },
  fetch: {
    go: ops(fetches("call-out")),
    js3: ops(fetches("step.fetch: 127.0.0.1")),
    js4: ops(fetches("step.fetch: 127.0.0.1")),
  },
  "wait-sub-second": {
    python: failed("FunctionConfigInvalidError: duration must be at least 1 second"),
  },
  "invoke-bare": {
    python: ops({
      ...invokes,
      ...op("InvokeFunction", "other"),
      functionSlug: "elsewhere-job",
      data: {},
      timeout: null,
    }),
  },
  "nested-step": {
    python: ops(
      op("StepError", "outer", {
        error: "CodedError: Nested steps are not supported.",
        noRetry: true,
      }),
    ),
  },
};

function approval(onConflict: "fail" | "replace") {
  return op("WaitForSignal", "approval", {
    signal: "approve-7",
    timeout: { forMs: 60_000 },
    onConflict,
  });
}

function parallelOf(raceOf: PerApp<boolean>): Record<string, PerApp<Meaning>> {
  const fields = (app: AppName) => ({ race: raceOf[app] });
  const planned = (app: AppName, step: string) => op("StepPlanned", step, fields(app));
  return {
    "1-discovery": each((app) =>
      ops(
        planned(app, "a-1"),
        planned(app, "b-1"),
        // The recorded JavaScript sleeps were not given the mode.
        slept("nap", app === "python" ? { at: fixedTimeAndFraction } : { forMs: 1_000 }, {
          race: raceOf[app] && !isJs(app),
        }),
      ),
    ),
    "2-target": each((app) => ops(ran(app, "b-1", "b1", fields(app)))),
    "3-second-discovery": each((app) => ops(planned(app, "a-2"), planned(app, "b-2"))),
    "4-target-missing": {
      python: completed([]),
      go: completed(null),
      js3: notFound,
      js4: notFound,
    },
    "5-return": each((app) => completed(app === "go" ? 3 : ["a1a2", "b1b2", null])),
  };
}

function prefixed<T>(prefix: string, table: Record<string, T>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(table).map(([name, value]) => [`${prefix}-${name}`, value]),
  );
}

const stepError = (error: string, noRetry: boolean): OpMeaning =>
  op("StepError", "breaks", { error, noRetry });
const stepFailed = (error: string): Meaning => ops(op("StepFailed", "breaks", { error }));
const later = (meaning: Meaning, retryAfterMs: number): Meaning => ({ ...meaning, retryAfterMs });
const pythonLater = failed("RetryAfterError: bank is closed", false, hour + 555);

const failing: Record<string, PerApp<Meaning>> = {
  "step-error": {
    python: ops(stepError(`ValueError: ${declined}`, false)),
    go: ops(stepError(`Step error: ${declined}`, false)),
    js3: ops(stepError(`RangeError: ${declined}`, false)),
    js4: ops(stepError(`RangeError: ${declined}`, false)),
  },
  "step-error-last-attempt": {
    python: stepFailed(`ValueError: ${declined}`),
    go: stepFailed(`Step failed: ${declined}`),
    js3: stepFailed(`RangeError: ${declined}`),
    js4: stepFailed(`RangeError: ${declined}`),
  },
  // Python raises these two through the step, so that the function's attempt fails.
  ...Object.fromEntries(
    ["step-no-retry", "step-no-retry-last-attempt"].map((name) => [
      name,
      {
        python: failed("NonRetriableError: no such card", true),
        go: stepFailed("Step failed: no such card"),
        js3: stepFailed("Error: no such card"),
        js4: stepFailed("NonRetriableError: no such card"),
      },
    ]),
  ),
  "step-retry-after": {
    python: pythonLater,
    go: later(ops(stepError("Step error: bank is closed", false)), hour),
    js3: later(ops(stepError("Error: bank is closed", false)), hour),
    js4: later(ops(stepError("RetryAfterError: bank is closed", false)), hour),
  },
  "step-retry-after-last-attempt": {
    python: pythonLater,
    go: later(stepFailed("Step failed: bank is closed"), hour),
    js3: later(stepFailed("Error: bank is closed"), hour),
    js4: stepFailed("RetryAfterError: bank is closed"),
  },
  "step-error-rethrown": rethrown,
  "step-no-retry-rethrown": rethrown,
  "step-retry-after-rethrown": rethrown,
  "fn-error": {
    python: failed("ValueError: function broke"),
    go: failed("Error: function broke"),
    js3: failed(`RangeError: ${declined}`),
    js4: failed(`RangeError: ${declined}`),
  },
  "fn-error-last-attempt": {
    python: failed("ValueError: function broke"),
    go: failed("Error: function broke"),
    js3: failed(`RangeError: ${declined}`),
    js4: failed(`RangeError: ${declined}`, true),
  },
  "fn-no-retry": {
    python: failed("NonRetriableError: no such card", true),
    go: failed("Error: function broke for good", true),
    js3: failed("Error: no such card", true),
    js4: failed("NonRetriableError: no such card", true),
  },
  "fn-retry-after": {
    python: pythonLater,
    go: failed("Error: function asks for later", false, hour),
    js3: failed("Error: bank is closed", false, hour),
    js4: failed("RetryAfterError: bank is closed", false, hour),
  },
};

const caughtName = "RangeError";
const refused: Record<string, Partial<PerApp<Meaning>>> = {
  caught: {
    python: completed(`caught: ${caughtName} ${declined}`),
    go: completed(`caught: ${declined}`),
    js3: completed(`caught: ${caughtName}: ${declined}`),
    js4: completed(`caught: ${caughtName}: ${declined}`),
  },
  "caught-without-data": {
    python: completed(`caught: ${caughtName} ${declined}`),
    // Go reads no error of a step that lacks `data`.
    go: failed("Error: error unmarshalling state for step 'breaks': unexpected end of JSON input"),
    js3: completed(`caught: ${caughtName}: ${declined}`),
    js4: completed(`caught: ${caughtName}: ${declined}`),
  },
  "event-not-in-triggers": {
    python: completed(null),
    go: completed(null),
    js3: completed(null),
    js4: failed("EventValidationError: Event not found in triggers: shop/recorded", true),
  },
  unserialisable: { python: failed("OutputUnserializableError: returned unserializable data") },
  "unknown-function": {
    python: failed("FunctionNotFoundError: function shop-nope not found"),
    go: failed("Error: function not found: shop-nope"),
    js3: failed("Error: No function ID found in request"),
    js4: failed(
      'Error: Function "shop-nope" was not found in this app; is the app synced correctly?',
    ),
  },
  "unsigned-result": {
    python: failed(
      "Error: The app answered with status 401. It refused the call: check that server and app have the same signing key.",
    ),
    go: failed("Error: Unauthorized"),
    js3: failed("Error: Unauthorized"),
    js4: failed("Error: Unauthorized"),
  },
};

const complete = (data: unknown): OpMeaning => ({
  ...op("RunComplete", ""),
  displayName: "0737c22d3bfae812339732d14d8c7dbd6dc4e09c",
  data,
});
const both = (app: AppName) => ({ a: order(app), b: "b <done>" });
const ranA = (app: AppName) => ran(app, "a", order(app));
const ranB = (app: AppName) => ran(app, "b", "b <done>");
const nap = slept("nap", { forMs: 60_000 });
const thirdStep = (name: string) =>
  op("StepError", "c", { error: `${name}: third step broke`, noRetry: false });

/** The answers that end calls whose steps went by checkpoint, or should have. */
const checkpointed: Record<string, Partial<PerApp<Meaning>>> = {
  return: {
    go: completed(both("go")),
    js3: ops(complete(both("js3"))),
    js4: ops(complete(both("js4"))),
  },
  sleep: { go: ops(nap), js3: ops(nap), js4: ops(nap) },
  "step-error": {
    go: ops(thirdStep("Step error")),
    js3: ops(thirdStep("Error")),
    js4: ops(thirdStep("Error")),
  },
  // On a later attempt the newest JavaScript SDK answers after one step; the others go on.
  retry: {
    go: completed(both("go")),
    js3: ops(complete(both("js3"))),
    js4: ops(ranA("js4")),
  },
  "plan-only": {
    go: ops(op("StepPlanned", "a")),
    js3: ops(op("StepPlanned", "a")),
    js4: ops(op("StepPlanned", "a")),
  },
  // Only the newest JavaScript SDK knows 409; the others hand over what was not accepted.
  stale: {
    go: ops(ranA("go"), ranB("go")),
    js3: ops(ranA("js3")),
    js4: failed(
      "StaleDispatchError: Stale dispatch: checkpoint returned 409 (run 01KAGW0RN0000000000000RVN1)",
      true,
    ),
  },
  // Out of time, Go hands over the step that it just ran, JavaScript plans the next one.
  "max-runtime": {
    go: ops(ran("go", "slow", "slow")),
    js3: ops(op("StepPlanned", "b")),
    js4: ops(op("StepPlanned", "b")),
  },
  defer: { js4: ops(complete("a")) },
  "batch-return": {
    go: ops(ranA("go"), ranB("go")),
    js3: ops(ranA("js3"), ranB("js3"), complete(both("js3"))),
    js4: ops(ranA("js4"), ranB("js4"), complete(both("js4"))),
  },
  "batch-sleep": { go: ops(ranA("go"), ranB("go"), nap), js3: ops(nap), js4: ops(nap) },
  "by-default": { js4: ops(slept("nap", { forMs: 26 * hour })) },
};

const goStreamed = (message: string, ...rest: [boolean?, number?]): Meaning =>
  failed(`Error: error calling function: ${message}`, ...rest);

/** Streams mean what plain answers mean, except that Go loses the times of step errors in them. */
const streamed: Record<string, PerApp<Meaning>> = {
  result: sequential["result"] ?? load,
  "result-null": each(() => completed(null)),
  "steps-1-run": load,
  ...Object.fromEntries(
    (["fn-error", "fn-no-retry", "fn-retry-after", "step-retry-after"] as const).map((name) => [
      name,
      failing[name] ?? load,
    ]),
  ),
};
const goStreams: Record<string, Meaning> = {
  "fn-error": goStreamed("function broke"),
  "fn-no-retry": goStreamed("function broke for good", true),
  "fn-retry-after": goStreamed("function asks for later", false, hour + 555),
  "step-retry-after": ops(stepError("Step error: bank is closed", false)),
};
for (const [name, go] of Object.entries(goStreams)) {
  streamed[name] = { ...(streamed[name] ?? load), go };
}

/** What the answer of every recorded call means, by the exchange's name. */
export const expectedAnswers: Readonly<Record<string, Partial<PerApp<Meaning>>>> = {
  ...sequential,
  ...unusual,
  ...prefixed("parallel", parallelOf(each(() => false))),
  ...prefixed("parallel-race", parallelOf({ python: true, go: true, js3: false, js4: true })),
  ...failing,
  ...refused,
  ...prefixed("checkpoint", checkpointed),
  ...prefixed("streamed", streamed),
  "cloud-checkpoint-sleep": { go: ops(nap), js3: ops(nap), js4: ops(nap) },
  defer: { js4: ops(ran("js4", "a", "a"), deferred("afterwards", '{"n":1}')) },
  "signed-result": sequential["result"] ?? load,
};
