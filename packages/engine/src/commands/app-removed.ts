// An app is removed with its functions and their schedules. Its runs stay: their calls fail and retry, so that an app
// which comes back picks them up.
import type { AppRemoved } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { pullQueues } from "../flow/pull.ts";
import { registerSchedules } from "../schedule/registered.ts";
import type { StateView } from "../state/view.ts";

export function appRemoved(state: StateView, command: AppRemoved): Decision {
  const draft = new Draft(state, command);
  const app = state.app(command.appId);
  if (app === undefined) {
    return draft.decide({
      ok: false,
      code: "app_not_found",
      message: `No app ${command.appId} is registered.`,
    });
  }
  registerSchedules(draft, app.functions, []);
  draft.write({ type: "app.delete", appId: command.appId });
  pullQueues(draft, app.functions);
  return draft.done();
}
