// Which calls every recorded app is sent, as data: the function, what is already memoised, which
// attempt it is. It must not know how calls travel or how replies are saved.
import { createHash } from "node:crypto";

export type AppName = "python" | "go" | "js3" | "js4";

/** One call of a function, and the name under which its exchange is saved. */
export interface CallPlan {
  readonly name: string;
  readonly functionId: string;
  /** `data` of the triggering event. */
  readonly data?: Record<string, unknown>;
  /** Memoised steps by the id a user wrote (`id:n` for repeats), in completion order. */
  readonly memo?: Record<string, unknown>;
  /** The user's id of the step that is targeted; absent for a discovery. */
  readonly target?: string;
  readonly attempt?: number;
  /** `disable_immediate_execution`: steps are planned, not run. */
  readonly planOnly?: boolean;
  /** Lets an SDK that checkpoints do so: names the function and the queue item. */
  readonly checkpoint?: boolean;
  /** The status with which the recorder answers checkpoints. */
  readonly checkpointStatus?: number;
  /** A body that replaces the usual one. */
  readonly body?: string;
  /** The apps that have such a function; all when absent. */
  readonly only?: readonly AppName[];
}

/** `sha1(id)`, the key of a step in a call's `steps` (protocol.md 2.6). */
export function hashStepId(id: string): string {
  return createHash("sha1").update(id).digest("hex");
}

const order = { order: 7, note: "café <b> & “quotes”" };
const paidEvent = {
  id: "01KAGW00000000000000000PAY",
  name: "shop/paid",
  data: { id: 1 },
  user: {},
  ts: 1_700_000_005_000,
};
const loaded = { load: { data: order } };
const rested = { ...loaded, nap: null, until: null };
const waited = { ...rested, paid: paidEvent };
const invoked = { ...waited, child: { data: order } };
const bareError = {
  name: "RangeError",
  message: "card <declined> & lost",
  stack: "RangeError: card\n    at x",
};
// `data` holds what a failed step returned beside its error: Go cannot read an error without it.
const stepError = { error: { ...bareError, data: null } };
const firsts = { "a-1": { data: "a1" }, "b-1": { data: "b1" }, nap: null };
const withSignals: readonly AppName[] = ["go", "js3", "js4"];
const withCheckpoints: readonly AppName[] = ["go", "js3", "js4"];

const sequential: readonly CallPlan[] = [
  { name: "steps-1-run", functionId: "steps" },
  { name: "steps-2-sleep", functionId: "steps", memo: loaded },
  { name: "steps-3-sleep-until", functionId: "steps", memo: { ...loaded, nap: null } },
  { name: "steps-4-wait-for-event", functionId: "steps", memo: rested },
  { name: "steps-5-invoke", functionId: "steps", memo: waited },
  {
    name: "steps-5-invoke-after-wait-timeout",
    functionId: "steps",
    memo: { ...rested, paid: null },
  },
  { name: "steps-6-send-event", functionId: "steps", memo: invoked },
  {
    name: "steps-7-return",
    functionId: "steps",
    memo: { ...invoked, announce: { data: ["1", "2"] } },
  },
  { name: "steps-invoke-failed", functionId: "steps", memo: { ...waited, child: stepError } },
  { name: "repeats-1", functionId: "repeats" },
  {
    name: "repeats-3",
    functionId: "repeats",
    memo: { same: { data: "x" }, "same:1": { data: "x" } },
  },
  { name: "plan-only", functionId: "repeats", planOnly: true },
  { name: "target-missing", functionId: "repeats", target: "gone" },
  { name: "input-edited", functionId: "repeats", memo: { same: { input: [1] } } },
  {
    name: "input-edited-target",
    functionId: "repeats",
    memo: { same: { input: [1] } },
    target: "same",
  },
  { name: "wait-signal", functionId: "wait-signal", only: withSignals },
  { name: "fetch", functionId: "fetches", only: withSignals },
  { name: "wait-sub-second", functionId: "wait-any", only: ["python"] },
  { name: "invoke-bare", functionId: "invoke-bare", only: ["python"] },
  { name: "nested-step", functionId: "nested", only: ["python"] },
];

const parallel: readonly CallPlan[] = ["parallel", "parallel-race"].flatMap((functionId) => [
  { name: `${functionId}-1-discovery`, functionId },
  { name: `${functionId}-2-target`, functionId, target: "b-1", planOnly: true },
  { name: `${functionId}-3-second-discovery`, functionId, memo: firsts, planOnly: true },
  { name: `${functionId}-4-target-missing`, functionId, target: "gone", planOnly: true },
  {
    name: `${functionId}-5-return`,
    functionId,
    memo: { ...firsts, "a-2": { data: "a2" }, "b-2": { data: "b2" } },
    planOnly: true,
  },
]);

const failing: readonly CallPlan[] = [
  ...["error", "no-retry", "retry-after"].flatMap((kind) => [
    { name: `step-${kind}`, functionId: `step-${kind}` },
    { name: `step-${kind}-last-attempt`, functionId: `step-${kind}`, attempt: 3 },
    { name: `step-${kind}-rethrown`, functionId: `step-${kind}`, memo: { breaks: stepError } },
    { name: `fn-${kind}`, functionId: `fn-${kind}` },
  ]),
  { name: "fn-error-last-attempt", functionId: "fn-error", attempt: 3 },
  { name: "fn-panic", functionId: "fn-panic", only: ["go"] },
  { name: "caught", functionId: "caught", memo: { breaks: stepError } },
  { name: "caught-without-data", functionId: "caught", memo: { breaks: { error: bareError } } },
  { name: "event-not-in-triggers", functionId: "rate-limited" },
  { name: "unserialisable", functionId: "unserialisable", only: ["python"] },
  { name: "unknown-function", functionId: "nope" },
  { name: "body-invalid", functionId: "result", body: "{}" },
];

const checkpointed: readonly CallPlan[] = [
  { name: "checkpoint-return", functionId: "checkpointed" },
  { name: "checkpoint-sleep", functionId: "checkpointed", data: { sleep: true } },
  { name: "checkpoint-step-error", functionId: "checkpointed", data: { fail: true } },
  { name: "checkpoint-retry", functionId: "checkpointed", attempt: 1 },
  { name: "checkpoint-plan-only", functionId: "checkpointed", planOnly: true },
  { name: "checkpoint-stale", functionId: "checkpointed", checkpointStatus: 409 },
  { name: "checkpoint-max-runtime", functionId: "checkpointed-short" },
  { name: "checkpoint-batch-return", functionId: "checkpointed-batch" },
  { name: "checkpoint-batch-sleep", functionId: "checkpointed-batch", data: { sleep: true } },
].map((plan) => ({ ...plan, checkpoint: true, only: withCheckpoints }));

const results: readonly CallPlan[] = [
  { name: "result", functionId: "result" },
  { name: "result-null", functionId: "result-null" },
];

/** Calls for an app that streams its answers (status 201). */
export const streamedCalls: readonly CallPlan[] = [
  ...results,
  { name: "steps-1-run", functionId: "steps" },
  { name: "fn-error", functionId: "fn-error" },
  { name: "fn-no-retry", functionId: "fn-no-retry" },
  { name: "fn-retry-after", functionId: "fn-retry-after" },
  { name: "step-retry-after", functionId: "step-retry-after" },
].map((plan) => ({ ...plan, name: `streamed-${plan.name}` }));

/** Calls for an app in dev mode. */
export const calls: readonly CallPlan[] = [
  ...results,
  ...sequential,
  ...parallel,
  ...failing,
  ...checkpointed,
  { name: "defer", functionId: "defers", only: ["js4"] },
  { name: "checkpoint-defer", functionId: "defers", checkpoint: true, only: ["js4"] },
  {
    name: "checkpoint-by-default",
    functionId: "steps",
    checkpoint: true,
    only: ["js4"],
  },
];
