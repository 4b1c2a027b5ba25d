// An event or a tick triggered a function whose gate is owned by another process than the one that
// took the event: the gate decides the start. The event is stored already.
import type { RunTriggered } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { byTrigger, startFunction } from "../flow/start.ts";
import { indexKeys } from "../rules/waits.ts";
import type { StateView } from "../state/view.ts";

export function runTriggered(state: StateView, command: RunTriggered): Decision {
  const draft = new Draft(state, command);
  const { functionId, event } = command;
  const fn = state.functionById(functionId);
  if (fn === undefined) return draft.done(); // removed since
  // Written again as it is, so that a run finds its event in memory.
  draft.write({ type: "event.put", event, keys: indexKeys(state, event) });
  startFunction(draft, fn, event, byTrigger);
  return draft.done();
}
