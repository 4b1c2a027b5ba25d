// An app tells of a run that it began by itself (protocol.md 6.3).
import type { Decision, Reply } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { EndpointCalled } from "../endpoint-commands.ts";
import type { StateView } from "../state/view.ts";
import { discoveryTarget } from "../rules/calls.ts";
import { carriedBy, carriedRun, leaveWithApp, takeFromApp } from "../rules/carried-runs.ts";
import { functionNotFound } from "../rules/replies.ts";
import { indexKeys } from "../rules/waits.ts";

export function endpointCalled(state: StateView, command: EndpointCalled): Decision {
  const draft = new Draft(state, command);
  const { runId, functionId, event, opcodes } = command;
  if (draft.run(runId) !== undefined) return draft.decide(runExists(runId));
  const fn = state.functionById(functionId);
  if (fn?.endpoint !== true) return draft.decide(functionNotFound(functionId));
  draft.write({ type: "event.put", event, keys: indexKeys(state, event) });
  const run = draft.begin(carriedRun(fn, command));
  leaveWithApp(run, fn);
  const job = carriedBy(run.run, run.job(discoveryTarget));
  if (job !== undefined && opcodes.length > 0) takeFromApp(run, job, opcodes);
  return draft.decide({ ok: true, value: { type: "started", runId, eventId: event.id } });
}

function runExists(runId: string): Reply {
  const message = `There is a run ${runId} already. What came before was kept; each run needs an id of its own.`;
  return { ok: false, code: "run_exists", message };
}
