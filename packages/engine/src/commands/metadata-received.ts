// Somebody notes something about a run. It may have ended long ago: scores come afterwards.
import type { MetadataReceived } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { updateMetadata } from "../metadata/update.ts";
import { runNotFound } from "../rules/replies.ts";
import type { StateView } from "../state/view.ts";

export function metadataReceived(state: StateView, command: MetadataReceived): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  const problem = updateMetadata(run, command.updates);
  return problem === null ? draft.done() : draft.decide({ ok: false, ...problem });
}
