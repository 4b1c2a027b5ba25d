// The body of a call to an app (protocol.md 2.1), spliced from texts: events and memos go out as
// the characters that came in. It must not know where the call goes or how it is signed.
import { type JsonText, toJsonText } from "./json-text.ts";

export interface CallInput {
  readonly run: { readonly id: string };
  /** UUID; null leaves it out, which switches checkpointing off in apps of the TypeScript SDK. */
  readonly functionId: string | null;
  /** From `writeEvent`, at least one. With `useApi` only the first is sent. */
  readonly events: readonly JsonText[];
  /** Hashed step id and memo (protocol.md 2.2) of each finished step. With `useApi` none is sent. */
  readonly steps: Iterable<readonly [string, JsonText]>;
  /** Hashed ids of the functions that the run has deferred, and whether one may still be aborted. */
  readonly defers: Iterable<readonly [string, boolean]>;
  /** `step` for a discovery, else the hashed id of the one step to run. */
  readonly stepId: string;
  /** Zero-based. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Hashed ids of the finished steps in order of completion. */
  readonly stack: readonly string[];
  /** -1 on the first call of a run, then what the first answer said. */
  readonly requestVersion: number;
  readonly disableImmediateExecution: boolean;
  /** The app is to fetch events and steps from the API, because they are too large to push. */
  readonly useApi: boolean;
  /** Reference to the job, which the app echoes in checkpoints. */
  readonly qiId: string;
  readonly requestId: string;
  readonly jobId: string;
  readonly env: string;
}

/** Above this size of a body, in UTF-8 bytes, events and steps are left to the API. */
export const callBytesMax = 4 * 1024 * 1024;

/** The request body. Both `use_api` are there because Python demands one and TypeScript the other. */
export function writeCall(input: CallInput): string {
  const [first = "null"] = input.events;
  const events = input.useApi ? first : input.events.join(",");
  return (
    `{"version":${input.requestVersion},"event":${first},"events":[${events}]` +
    `,"steps":{${input.useApi ? "" : writeSteps(input.steps)}}` +
    `,"defers":{${writeDefers(input.defers)}}` +
    `,"ctx":${writeContext(input)},"use_api":${input.useApi}}`
  );
}

function writeSteps(steps: CallInput["steps"]): string {
  let text = "";
  for (const [id, memo] of steps) {
    text += `${text === "" ? "" : ","}${writeId(id)}:${memo}`;
  }
  return text;
}

/** What an app finds here it does not send again. */
function writeDefers(defers: CallInput["defers"]): string {
  const texts = Array.from(defers, ([id, isAbortable]) => {
    return `${writeId(id)}:{"abortable":${isAbortable}}`;
  });
  return texts.join(",");
}

function writeContext(input: CallInput): string {
  const functionId = input.functionId === null ? "" : `"fn_id":${toJsonText(input.functionId)},`;
  return (
    `{"run_id":${toJsonText(input.run.id)},${functionId}"env":${toJsonText(input.env)}` +
    `,"step_id":${writeId(input.stepId)},"attempt":${input.attempt}` +
    `,"max_attempts":${input.maxAttempts}` +
    `,"stack":{"stack":[${input.stack.map(writeId).join(",")}],"current":${input.stack.length}}` +
    `,"qi_id":${toJsonText(input.qiId)},"request_id":${toJsonText(input.requestId)}` +
    `,"job_id":${toJsonText(input.jobId)}` +
    `,"disable_immediate_execution":${input.disableImmediateExecution}` +
    `,"use_api":${input.useApi}}`
  );
}

const plainIdPattern = /^[\w:.-]*$/;

/** A step id in quotes; hashes, that is nearly all, skip the serialiser. */
function writeId(id: string): string {
  return plainIdPattern.test(id) ? `"${id}"` : toJsonText(id);
}
