// What a run, a step or an attempt was given and what it came to, out of the wrappers in which
// memos and outputs are stored (protocol.md 2.2). Payloads stay the text they are stored as. It
// must not know stores.
import type { StepRecord } from "@pawl/engine/records";
import { sliceObject } from "@pawl/protocol/json-span";
import type { JsonText } from "@pawl/protocol/json-text";

/** At most one of `data` and `error` is there; `input` is null when nobody recorded it. */
export interface SpanOutput {
  readonly input: JsonText | null;
  readonly data: JsonText | null;
  readonly error: JsonText | null;
}

/** The result or error of a run; `output` is null while it has not ended. */
export function runOutput(output: JsonText | null, input: JsonText | null): SpanOutput {
  return output === null ? { input, data: null, error: null } : { input, ...unwrapped(output) };
}

/** The result or error of a step, and the arguments it was called with. */
export function stepOutput(step: StepRecord): SpanOutput {
  const input = memberOf(step.opts, "input");
  switch (step.op) {
    case "run":
    case "invoke":
    case "waitForSignal":
      return { input, ...unwrapped(step.memo) };
    case "fetch":
    case "infer":
      // What went out, as far as people may see it.
      return { input: step.opts, ...unwrapped(step.memo) };
    case "sleep":
    case "waitForEvent":
    case "waitForAny":
    case "waitForAll":
      return { input, data: step.memo, error: null };
  }
}

/** The error of a failed attempt. */
export function attemptOutput(error: JsonText): SpanOutput {
  return { input: null, data: null, error };
}

/** Apps that speak execution version 0 send bare results: what is not wrapped is data. */
function unwrapped(memo: JsonText): Omit<SpanOutput, "input"> {
  if (!memo.startsWith("{")) return { data: memo, error: null };
  const members = sliceObject(memo);
  const error = members.get("error");
  if (error !== undefined) return { data: null, error };
  return { data: members.get("data") ?? memo, error: null };
}

function memberOf(text: JsonText | null, name: string): JsonText | null {
  return text?.startsWith("{") === true ? (sliceObject(text).get(name) ?? null) : null;
}
