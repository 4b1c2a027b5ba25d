// Somebody starts an ended run again, as a new run with the same events.
import type { RunRerun } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { gateKey, startsHere } from "../flow/placement.ts";
import { repeatId, startAgain } from "../flow/start-again.ts";
import { functionNotFound, runNotFound } from "../rules/replies.ts";
import { findStep, rerunProblem } from "../rules/rerun.ts";
import type { StateView } from "../state/view.ts";

export function runRerun(state: StateView, command: RunRerun): Decision {
  const draft = new Draft(state, command);
  const { runId, fromStep } = command;
  const original = draft.run(runId);
  if (original === undefined) return draft.decide(runNotFound(runId));
  const problem = rerunProblem(original, fromStep);
  if (problem !== null) return draft.decide({ ok: false, ...problem });
  const fn = state.functionById(original.run.functionId);
  if (fn === undefined) return draft.decide(functionNotFound(original.run.functionId));
  const [event] = original.events;
  if (event === undefined) return draft.decide(runNotFound(runId));
  const newRunId = repeatId(state, command, fn, event);
  const started = { type: "started", runId: newRunId, eventId: event.id } as const;
  if (command.gate === null && !startsHere(state, fn, event)) {
    // The gate has moved since. The original has ended, so that its owner may be any.
    const newRun = command.newRun ?? { at: command.at, seed: command.seed };
    draft.send({ type: "run.rerun", runId, newRun, fromStep, gate: gateKey(state, fn, event) });
    return draft.decide({ ok: true, value: started });
  }
  // The same command again, by somebody who could not be sure of the first.
  if (draft.run(newRunId)?.run.originalRunId === runId)
    return draft.decide({ ok: true, value: started });
  const step = fromStep === null ? undefined : findStep(original, fromStep.stepId);
  const from = step === undefined ? null : { step, input: fromStep?.input ?? null };
  const refusal = startAgain(draft, fn, original, newRunId, from);
  if (refusal !== null) {
    const message = `Run ${runId} of function "${fn.slug}" was not started again: ${refusal}`;
    return draft.decide({ ok: false, code: "run_skipped", message });
  }
  return draft.decide({ ok: true, value: started });
}
