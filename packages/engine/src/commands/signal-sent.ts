// Somebody sends a signal: the one job that waits for its name gets it. Two at once: the second
// finds nobody.
import { memoText } from "@pawl/protocol/opcode-wire";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type { SignalSent } from "../commands.ts";
import type { Decision, Reply } from "../decision.ts";
import { Draft } from "../draft.ts";
import { continueRun } from "../rules/discovery.ts";
import { signalNameProblem } from "../rules/signals.ts";
import { endStepJob } from "../rules/steps.ts";
import type { Settings } from "../settings.ts";
import type { StateView } from "../state/view.ts";
import { signalKey } from "../waits/signal.ts";

/** The idempotency key of a signal that may be sent again. */
export function resendKey(id: string): string {
  return `signal:${id}`;
}

export function signalSent(state: StateView, command: SignalSent): Decision {
  const draft = new Draft(state, command);
  const { signal, data, types, id } = command;
  const message = sizeProblem(command, state.settings);
  if (message !== null) return draft.decide({ ok: false, code: "signal_too_large", message });
  const before = id === null ? undefined : draft.idempotency(resendKey(id));
  if (before !== undefined) return draft.decide(signalled(before));
  const record = draft.gateRecord(signalKey(signal));
  const run = record?.kind === "signal" ? draft.run(record.runId) : undefined;
  const job = record?.kind === "signal" ? run?.job(record.jobId) : undefined;
  if (run === undefined || job?.kind !== "signal" || job.dueAt <= draft.at) {
    return draft.decide({ ok: false, code: "signal_not_found", message: "No signal found" });
  }
  // proof: JSON values under fixed names
  const value = `{"signal":${toJsonText(signal)},"data":${data}}` as JsonText;
  endStepJob(run, job, memoText(value, types));
  continueRun(run, { finished: [job.id], race: job.race });
  if (id !== null) draft.holdKey(resendKey(id), run.id);
  return draft.decide(signalled(run.id));
}

function signalled(runId: string): Reply {
  return { ok: true, value: { type: "signalled", runId } };
}

function sizeProblem({ signal, data, types }: SignalSent, settings: Settings): string | null {
  const { signalDataCharsMax } = settings;
  const chars = data.length + (types?.length ?? 0);
  if (chars <= signalDataCharsMax) return signalNameProblem(signal, settings);
  return `The signal carries ${chars} characters of JSON; the limit is ${signalDataCharsMax} (setting signalDataCharsMax). Send a reference to larger data.`;
}
