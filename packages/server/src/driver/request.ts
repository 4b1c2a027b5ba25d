// Builds the request of a leased call from the hot state (protocol.md 2.1). Payloads are spliced
// as they are kept. It must not know drivers or connections.
import type { Effect } from "@pawl/engine/effects";
import type { CallJob, EventRecord, FunctionRecord } from "@pawl/engine/records";
import type { RunView, StateView } from "@pawl/engine/state/view";
import { dispatchIdOf } from "@pawl/engine/rules/dispatch-id";
import { inputMemos } from "@pawl/engine/rules/memo";
import { callBytesMax, writeCall, type CallInput } from "@pawl/protocol/call-wire";
import { writeEvent } from "@pawl/protocol/event-wire";
import { membersOf } from "@pawl/protocol/json-span";
import type { JsonText } from "@pawl/protocol/json-text";
import type { Call, GatewayStep } from "./driver.ts";
import { traceparentOf } from "../api/words.ts";
import { endpointRequest } from "./endpoint-request.ts";
import { traceRefOf } from "../traces/trace-ref.ts";
import { StepUrl } from "./step-url.ts";

export type CallEffect = Extract<Effect, { type: "call" }>;

export interface RequestOptions {
  /** `ctx.env`, the name of the environment. */
  readonly env: string;
  /** How long one call may take. */
  readonly callTimeoutMs: number;
}

export const defaultRequestOptions: RequestOptions = { env: "dev", callTimeoutMs: 2 * 60 * 60_000 };

const goSdk = /^(?:inngest-)?go:/;

const stepUrls = new WeakMap<FunctionRecord, StepUrl>();
const eventTexts = new WeakMap<EventRecord, JsonText>();

/** Throws when the state does not hold what the effect names, or the URL is none: faults of ours. */
export function buildCall(effect: CallEffect, state: StateView, options: RequestOptions): Call {
  const { runId, jobId, generation } = effect;
  const view = state.run(runId);
  const job = view?.jobs.get(jobId);
  if (view === undefined || job?.kind !== "call" || job.generation !== generation) {
    throw new Error(`run ${runId} has no call ${jobId} of generation ${generation}`);
  }
  const fn = state.functionById(view.run.functionId);
  if (fn === undefined)
    throw new Error(`function ${view.run.functionId} of run ${runId} is not registered`);
  const requestId = dispatchIdOf(job);
  const { appId, functionId } = view.run;
  const named = {
    appId,
    functionId,
    runId,
    jobId,
    generation,
    requestId,
    traceparent: traceparentOf(runId, job.target),
    tracestate: `inngest@app=${appId},inngest@fn=${functionId},inngest@traceref=${traceRefOf(job)}`,
    timeoutMs: options.callTimeoutMs,
  };
  if (job.gateway !== null) {
    const { kind, request } = job.gateway;
    return {
      ...named,
      url: `gateway:${kind}`,
      body: request,
      gateway: { kind, face: faceOf(job) },
    };
  }
  if (fn.endpoint === true) return { ...named, ...endpointRequest(view, job), gateway: null };
  const isGo = goSdk.test(state.app(view.run.appId)?.sdk ?? "");
  return {
    ...named,
    url: stepUrlOf(fn).at(job.target),
    body: bodyOf(view, job, requestId, isGo, options.env),
    gateway: null,
  };
}

/** The attempts that a step has left are the job's business. */
function faceOf(job: CallJob): GatewayStep["face"] {
  const { target: id, displayName, userId, userIndex, race, stepType, opts } = job;
  return { id, displayName, userId, userIndex, race, stepType, opts, retries: null };
}

/** Above the size limit the app fetches events and steps itself; the Go SDK cannot. */
function bodyOf(
  view: RunView,
  job: CallJob,
  requestId: string,
  isGo: boolean,
  env: string,
): string {
  const events = view.events.map(textOf);
  const input = (useApi: boolean): CallInput => ({
    run: view.run,
    functionId: view.run.functionId,
    events,
    steps: memosOf(view, isGo),
    defers: defersOf(view),
    stepId: job.target,
    attempt: job.attempt,
    maxAttempts: job.attemptsMax,
    stack: [...view.steps.keys()],
    requestVersion: view.run.requestVersion,
    disableImmediateExecution: view.run.forcePlan,
    useApi,
    qiId: job.id,
    requestId,
    jobId: job.id,
    env,
  });
  let chars = view.stateChars;
  for (const text of events) chars += text.length;
  if (!isGo && chars > callBytesMax) return writeCall(input(true));
  const body = writeCall(input(false));
  // A UTF-16 unit takes at most three bytes.
  const small = isGo || body.length * 3 <= callBytesMax || Buffer.byteLength(body) <= callBytesMax;
  return small ? body : writeCall(input(true));
}

function* memosOf(view: RunView, isGo: boolean): Generator<readonly [string, JsonText]> {
  for (const { id, status, memo } of view.steps.values()) {
    yield [id, isGo && status === "failed" ? withErrorData(memo) : memo];
  }
  yield* inputMemos(view.jobs.values());
}

function* defersOf({ defers }: RunView): Generator<readonly [string, boolean]> {
  for (const { id, status } of defers.values()) yield [id, status === "scheduled"];
}

/** The Go SDK cannot read the error of a failed step that has no member `data`, be it null. */
function withErrorData(memo: JsonText): JsonText {
  const error = membersOf(memo).get("error");
  if (error === undefined || !error.startsWith("{")) return memo;
  const members = membersOf(error);
  if (members.has("data")) return memo;
  const others = members.size === 0 ? "}" : `,${error.slice(1)}`;
  return `{"error":{"data":null${others}}` as JsonText; // proof: a valid object, one member put before its others
}

function stepUrlOf(fn: FunctionRecord): StepUrl {
  let url = stepUrls.get(fn);
  if (url === undefined) {
    url = new StepUrl(fn.url);
    stepUrls.set(fn, url);
  }
  return url;
}

/** The events of a run go out with each of its calls. */
function textOf(event: EventRecord): JsonText {
  let text = eventTexts.get(event);
  if (text === undefined) {
    text = writeEvent(event);
    eventTexts.set(event, text);
  }
  return text;
}
