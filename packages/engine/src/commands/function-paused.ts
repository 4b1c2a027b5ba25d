// People pause a function and let it go on. Nothing is lost meanwhile: first calls wait in a queue
// of their own, and runs that had begun go on.
import type { FunctionPaused, FunctionResumed } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { pullQueues } from "../flow/pull.ts";
import { functionNotFound } from "../rules/replies.ts";
import type { StateView } from "../state/view.ts";

/** Takes both commands; repeating one changes nothing. */
export function functionPaused(
  state: StateView,
  command: FunctionPaused | FunctionResumed,
): Decision {
  const draft = new Draft(state, command);
  const fn = state.functionById(command.functionId);
  const app = fn === undefined ? undefined : state.app(fn.appId);
  if (fn === undefined || app === undefined)
    return draft.decide(functionNotFound(command.functionId));
  const pauses = command.type === "function.paused";
  if (pauses === (fn.pausedAt !== null)) return draft.done();
  const changed = { ...fn, pausedAt: pauses ? draft.at : null };
  const functions = app.functions.map((known) => (known.id === fn.id ? changed : known));
  draft.write({ type: "app.put", app: { ...app, functions } });
  if (!pauses) pullQueues(draft, [fn]);
  return draft.done();
}
