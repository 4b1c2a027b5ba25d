// An app tells what more a run came to that it carries (protocol.md 6.3).
import type { Opcode } from "@pawl/protocol/opcode";
import type { Decision, Reply } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { EndpointProgressed } from "../endpoint-commands.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView } from "../state/view.ts";
import { discoveryTarget } from "../rules/calls.ts";
import { carriedBy, takeFromApp } from "../rules/carried-runs.ts";
import { continueRun } from "../rules/discovery.ts";
import { recordStepRun } from "../rules/opcodes.ts";
import { runEnded, runNotFound } from "../rules/replies.ts";
import { isAwaited } from "../rules/steps.ts";

export function endpointProgressed(state: StateView, command: EndpointProgressed): Decision {
  const draft = new Draft(state, command);
  const { runId, opcodes } = command;
  const run = draft.run(runId);
  if (run === undefined) return draft.decide(runNotFound(runId));
  // An app that missed our answer sends the same again, and must not fail for it.
  if (opcodes.every((opcode) => isKnown(run, opcode))) return draft.done();
  if (run.ended) return draft.decide(runEnded(run.run));
  const job = carriedBy(run.run, run.job(discoveryTarget));
  if (job === undefined) return draft.decide(tooLate(run, opcodes));
  takeFromApp(run, job, opcodes);
  return draft.done();
}

function isKnown(run: RunDraft, { op, id }: Opcode): boolean {
  if (op === "None") return false;
  if (op === "RunComplete") return run.run.status === "completed";
  if (op === "DeferAdd") return run.defer(id) !== undefined;
  return run.step(id) !== undefined || run.job(id) !== undefined;
}

/** The server goes on with the run by now. Results of steps that it lacks are kept all the same. */
function tooLate(run: RunDraft, opcodes: readonly Opcode[]): Reply {
  const awaited: string[] = [];
  for (const opcode of opcodes) {
    if (opcode.op !== "StepRun") continue;
    const isNext = isAwaited(run, opcode.id);
    const isNews = recordStepRun(run, undefined, opcode, run.draft.at);
    if (isNews && isNext) awaited.push(opcode.id);
  }
  if (awaited.length > 0) continueRun(run, { finished: awaited, race: false });
  return {
    ok: false,
    code: "dispatch_stale",
    message: `Run ${run.id} is no longer carried by its app: the server goes on with it. Results of its steps were kept; stop here.`,
  };
}
