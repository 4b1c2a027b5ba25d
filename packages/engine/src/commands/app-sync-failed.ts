// A sync did not succeed. What the app registered before stays; the reason is kept for people.
import type { AppSyncFailed } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { AppRecord } from "../records.ts";
import type { StateView } from "../state/view.ts";

export function appSyncFailed(state: StateView, command: AppSyncFailed): Decision {
  const draft = new Draft(state, command);
  const before = state.app(command.appId) ?? placeholder(command);
  // The same trouble again, every few seconds while polling, is not worth a commit.
  if (state.app(command.appId)?.error === command.error) return draft.done();
  const app = { ...before, error: command.error, updatedAt: draft.at };
  draft.write({ type: "app.put", app });
  return draft.done();
}

/** An app that is only known by its URL so far. */
function placeholder(command: AppSyncFailed): AppRecord {
  return {
    id: command.appId,
    name: "",
    url: command.url,
    sdk: "",
    framework: null,
    platform: null,
    appVersion: null,
    checksum: "",
    error: null,
    functions: [],
    createdAt: command.at,
    updatedAt: command.at,
  };
}
