// Paths by which people search events: indexed like those of waits, from now on.
import type { PathsIndexed } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";

export function pathsIndexed(state: StateView, command: PathsIndexed): Decision {
  const draft = new Draft(state, command);
  for (const { event, path } of command.paths) {
    if (state.waitPaths(event).has(path)) continue;
    const waitPath = { event, path, since: draft.at, waits: false };
    draft.write({ type: "waitPath.put", waitPath });
  }
  return draft.done();
}
