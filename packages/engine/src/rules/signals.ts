// Signals: a run waits for a name that is its own while it waits. The one job that waits for a name
// stands in a gate record (`waits/signal.ts`), written in the decisions that begin and end the wait.
import type { WaitForSignalOpcode } from "@pawl/protocol/opcode";
import { jsonNull, type JsonText } from "@pawl/protocol/json-text";
import type { RunDraft } from "../run-draft.ts";
import { signalKey } from "../waits/signal.ts";
import { failRun } from "./finish-run.ts";
import { errorMemo } from "./memo.ts";
import { base, finishAtOnce, momentOf, refuseAtOnce, timer } from "./opening.ts";
import type { Settings } from "../settings.ts";

/** Opens a step that waits for a signal. Returns whether it was finished at once. */
export function openSignal(run: RunDraft, opcode: WaitForSignalOpcode, parallel: boolean): boolean {
  const { draft } = run;
  const { signal, onConflict } = opcode;
  const message = signalNameProblem(signal, draft.state.settings);
  if (message !== null) {
    const error = { name: "PawlSignalError", code: "signal_too_large", message };
    return refuseAtOnce(run, opcode, "waitForSignal", error);
  }
  const dueAt = momentOf(run, opcode.timeout);
  if (dueAt <= draft.at) return finishAtOnce(run, opcode, "waitForSignal", jsonNull);
  const key = signalKey(signal);
  const waiting = draft.gateRecord(key);
  if (waiting?.kind === "signal" && onConflict === "fail") {
    failRun(run, waiting.runId === run.id ? ownConflict(signal) : conflict);
    return false;
  }
  // Whoever waited before goes on to do so until its own time is over.
  draft.putGate({ kind: "signal", key, runId: run.id, jobId: opcode.id });
  run.putJob({ ...base(run, opcode, parallel), kind: "signal", dueAt, signal });
  if (!run.run.holds.includes(key)) run.update({ holds: [...run.run.holds, key] });
  timer(run, opcode.id, dueAt);
  return false;
}

/** protocol.md 5.4. */
const conflict: JsonText = errorMemo({
  name: "Error",
  code: "signal_conflict",
  message: "Signal conflict; signal wait already exists for another run",
});

function ownConflict(signal: string): JsonText {
  const message = `Signal conflict; another step of this run waits for signal "${signal}" already`;
  return errorMemo({ name: "Error", code: "signal_conflict", message });
}

/** Why a signal cannot have this name; null when it can. */
export function signalNameProblem(signal: string, { signalNameCharsMax }: Settings): string | null {
  if (signal.length <= signalNameCharsMax) return null;
  return `The name of the signal has ${signal.length} characters; the limit is ${signalNameCharsMax} (setting signalNameCharsMax).`;
}
