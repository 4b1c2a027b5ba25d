// A limit of one function's runs, set apart from the settings of the server.
import type { FunctionLimited } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { RunLimits } from "../records.ts";
import { functionNotFound } from "../rules/replies.ts";
import type { StateView } from "../state/view.ts";

/** It counts from the next step on, for runs under way as well. */
export function functionLimited(state: StateView, command: FunctionLimited): Decision {
  const draft = new Draft(state, command);
  const { functionId, limit, value } = command;
  const fn = state.functionById(functionId);
  const app = fn === undefined ? undefined : state.app(fn.appId);
  if (fn === undefined || app === undefined) return draft.decide(functionNotFound(functionId));
  const { [limit]: _, ...others } = fn.limits ?? {};
  const limits: RunLimits = value === null ? others : { ...others, [limit]: value };
  const functions = app.functions.map((known) => (known.id === fn.id ? { ...fn, limits } : known));
  draft.write({ type: "app.put", app: { ...app, functions } });
  return draft.done();
}
