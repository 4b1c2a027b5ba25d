// A run that is started again: what it takes over of the one that it repeats.
import { sha1Hex } from "@pawl/protocol/sha1";
import type { JsonText } from "@pawl/protocol/json-text";
import type { EngineCode } from "../codes.ts";
import type { FromStep } from "../commands.ts";
import type { FunctionRecord, StepRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { attemptsMaxOf, type NewCall } from "./calls.ts";

/** Where a repeated run sets in, the step found. */
export interface FoundStep {
  readonly step: StepRecord;
  readonly input: JsonText | null;
}

interface Problem {
  readonly code: EngineCode;
  readonly message: string;
}

/** Why a run cannot be started again like this; null when it can. */
export function rerunProblem(original: RunDraft, fromStep: FromStep | null): Problem | null {
  const { id, run, ended } = original;
  if (!ended) {
    const message = `Run ${id} has not ended (${run.status}). Wait for its end, or cancel it, before it is started again.`;
    return { code: "run_not_ended", message };
  }
  if (original.events.length < run.eventIds.length || run.eventIds.length === 0) {
    const message = `Retention has removed events that run ${id} was started with, so it cannot be started again. Send the event once more.`;
    return { code: "history_pruned", message };
  }
  if (fromStep === null) return null;
  const step = findStep(original, fromStep.stepId);
  if (step === undefined) {
    const message = `Run ${id} has no finished step "${fromStep.stepId}". The trace of the run lists those it has.`;
    return { code: "step_not_found", message };
  }
  if (fromStep.input === null || step.op === "run") return null;
  const message = `Step "${step.displayName}" of run ${id} is of kind ${step.op} and takes no input: only steps that run code of the app do. Leave the input out.`;
  return { code: "step_input_unsupported", message };
}

/** A finished step by its hashed id, or by the id that its author wrote (`id`, `id:1`, …). */
export function findStep(run: RunDraft, stepId: string): StepRecord | undefined {
  return run.step(stepId) ?? run.step(sha1Hex(stepId));
}

/** Takes over the steps that were finished before one. All that it can have needed is among them. */
export function copyStepsBefore(run: RunDraft, original: RunDraft, { seq }: StepRecord): void {
  for (const { seq: own, ...step } of original.steps()) if (own < seq) run.addStep(step);
}

/**
 * The call of the one step with other arguments. Apps that checkpoint would take a plain call for an
 * answer (protocol.md 12, trap 19).
 */
export function callWithInput(
  run: RunDraft,
  fn: FunctionRecord,
  step: StepRecord,
  input: JsonText,
): NewCall {
  const { id, displayName, userId, userIndex, stepType, opts } = step;
  return {
    id,
    displayName,
    userId,
    userIndex,
    stepType,
    opts,
    target: id,
    parallel: false,
    race: false,
    attempt: 0,
    attemptsMax: attemptsMaxOf(run, fn, null),
    gateway: null,
    input: asArguments(input),
  };
}

/** A list stands for the arguments, anything else for the only one. */
function asArguments(input: JsonText): JsonText {
  return input.trimStart().startsWith("[") ? input : (`[${input}]` as JsonText); // proof: a JSON value in a list
}
