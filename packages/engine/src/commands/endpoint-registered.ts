// An endpoint of an app is kept as a function, so that its requests can be runs (protocol.md 6.3).
import type { Decision, Reply } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { EndpointRegistered } from "../endpoint-commands.ts";
import type { AppRecord, FunctionRecord } from "../records.ts";
import type { StateView } from "../state/view.ts";

export function endpointRegistered(state: StateView, command: EndpointRegistered): Decision {
  const draft = new Draft(state, command);
  const before = state.app(command.app.id);
  const known = before?.functions.find(({ id }) => id === command.fn.id);
  if (known === undefined) {
    const problem = cannotAdd(state, command);
    if (problem !== null) return draft.decide(problem);
  }
  const reply = (modified: boolean): Reply => ({
    ok: true,
    value: { type: "synced", appId: command.app.id, modified },
  });
  if (known?.config === command.fn.config) return draft.decide(reply(false));
  const fn = functionOf(command, known);
  const others = before?.functions.filter(({ id }) => id !== fn.id) ?? [];
  const app = { ...appOf(command, before), functions: [...others, fn] };
  draft.write({ type: "app.put", app });
  return draft.decide(reply(true));
}

function cannotAdd(state: StateView, { fn }: EndpointRegistered): Reply | null {
  const owner = state.functionBySlug(fn.slug);
  if (owner !== undefined) {
    const app = state.app(owner.appId)?.name ?? owner.appId;
    const message = `Endpoint "${fn.slug}" cannot be kept: app "${app}" has a function of that id. Give one of them another id.`;
    return { ok: false, code: "config_invalid", message };
  }
  const { endpointsMax } = state.settings;
  let count = 0;
  for (const app of state.apps()) if (app.endpoints === true) count += app.functions.length;
  if (count < endpointsMax) return null;
  const message = `Endpoint "${fn.slug}" would be one too many: the server knows ${count}, and setting endpointsMax allows ${endpointsMax}. Give endpoints whose paths hold ids a functionId of their own, remove apps that are gone, or raise it (--endpoints-max).`;
  return { ok: false, code: "endpoints_too_many", message };
}

function functionOf(
  { app, fn }: EndpointRegistered,
  known: FunctionRecord | undefined,
): FunctionRecord {
  if (known === undefined) {
    return { ...fn, appId: app.id, triggers: [], version: 1, pausedAt: null, endpoint: true };
  }
  const version = known.config === fn.config ? known.version : known.version + 1;
  return { ...known, ...fn, version };
}

function appOf({ app, at }: EndpointRegistered, before: AppRecord | undefined): AppRecord {
  if (before !== undefined) return { ...before, sdk: app.sdk || before.sdk, updatedAt: at };
  return {
    ...app,
    framework: null,
    platform: null,
    appVersion: null,
    checksum: "",
    error: null,
    functions: [],
    endpoints: true,
    createdAt: at,
    updatedAt: at,
  };
}
