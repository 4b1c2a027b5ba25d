// The next page of waits that may match an event.
import type { WaitsContinued } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { deliver } from "../rules/waits.ts";

export function waitsContinued(state: StateView, command: WaitsContinued): Decision {
  const draft = new Draft(state, command);
  deliver(draft, command.event, command.key, command.after);
  return draft.done();
}
