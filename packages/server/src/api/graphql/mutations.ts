// The fields of `Mutation` (protocol.md 8.4): each submits a command, or has an app sync, and hands on
// what comes back. It must not know HTTP.
import { assertJson } from "@pawl/protocol/json-span";
import { jsonNull } from "@pawl/protocol/json-text";
import { ServerError } from "../../server-error.ts";
import { placeholderAppId } from "../../sync/app-poller.ts";
import { appAt } from "../../sync/sync-app.ts";
import { startFunction } from "../accept.ts";
import { refusalError, type ApiContext } from "../context.ts";
import { cancelRun, rerunRun, startedRunId } from "../run-actions.ts";
import { appObject } from "./apps.ts";
import { missing } from "./missing.ts";
import { runObject } from "./runs.ts";

interface RunArguments {
  readonly runID: string;
}
interface RerunArguments extends RunArguments {
  readonly fromStep?: { readonly stepID: string; readonly input?: unknown } | null;
}
interface InvokeArguments {
  readonly functionSlug: string;
  readonly data?: unknown;
  readonly user?: unknown;
}
interface CreateAppArguments {
  readonly input: { readonly url: string };
}
interface UpdateAppArguments {
  readonly input: { readonly id: string; readonly url: string };
}

/** A function for each field. */
export function mutationFields(context: ApiContext): object {
  return {
    createApp: ({ input }: CreateAppArguments) => createApp(context, input.url),
    updateApp: ({ input }: UpdateAppArguments) => updateApp(context, input.id, input.url),
    deleteApp: ({ id }: { readonly id: string }) => removeApp(context, id),
    deleteAppByName: async ({ name }: { readonly name: string }) => {
      await removeApp(context, name);
      return true;
    },
    invokeFunction: (args: InvokeArguments) => invoke(context, args),
    cancelRun: (args: RunArguments) => cancel(context, args),
    rerun: (args: RerunArguments) => rerun(context, args),
    createDebugSession: () => {
      const message =
        "Debug sessions are not part of this server. Start the run again with `rerun`, from a step if wanted.";
      throw new ServerError("not_implemented", message);
    },
  };
}

/** Has the app at a URL sync. One that cannot is kept with its error, as apps named at the start are. */
async function createApp(context: ApiContext, text: string): Promise<object> {
  const url = checkedUrl(text);
  const trouble = await context.syncApp(url);
  const apps = context.backend.hot;
  const id = placeholderAppId(url);
  if (trouble !== null && appAt(apps.apps(), url) === undefined)
    await context.registrar.fail(id, url, trouble);
  const app = appAt(apps.apps(), url) ?? apps.app(id);
  if (app !== undefined) return appObject(app);
  const message = `The app at ${url} is in sync, but registered under another URL. Look for it among the apps.`;
  throw new ServerError("app_sync_failed", message);
}

/** Has an app sync at another URL. It keeps its old one when it is not there. */
async function updateApp(context: ApiContext, id: string, text: string): Promise<object> {
  const { backend, queries } = context;
  const before = queries.app(id);
  if (before === null) throw missing("app", id);
  const url = checkedUrl(text);
  const trouble = await context.syncApp(url);
  if (trouble !== null) throw new ServerError("app_sync_failed", trouble);
  const found = appAt(backend.hot.apps(), url) ?? queries.app(id);
  if (found === null) throw missing("app", id);
  if (found.id === before.id) return appObject(found);
  if (before.name !== "") {
    const message = `The app at ${url} calls itself "${found.name}", not "${before.name}". It was synced under its own name, and "${before.name}" keeps its URL.`;
    throw new ServerError("app_sync_failed", message);
  }
  // It was known by its URL only, and has a name now.
  if (queries.app(before.id) !== null) await removeApp(context, before.id);
  return appObject(found);
}

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  const message = `The url must be where the app serves, like http://localhost:3000/api/inngest, not ${JSON.stringify(text.slice(0, 200))}.`;
  throw new ServerError("parameter_invalid", message);
}

async function removeApp({ backend, queries }: ApiContext, idOrName: string): Promise<string> {
  const app = queries.app(idOrName);
  if (app === null) throw missing("app", idOrName);
  const reply = await backend.submit({ type: "app.removed", appId: app.id });
  if (!reply.ok) throw refusalError(reply);
  return app.id;
}

async function cancel(context: ApiContext, { runID }: RunArguments): Promise<object> {
  const reply = await cancelRun(context, runID);
  if (!reply.ok) throw refusalError(reply);
  const shown = await context.queries.run(runID);
  if (shown === null) throw missing("run", runID);
  return runObject(context.queries, shown);
}

/** The input comes as JSON text, as a string, or as a value of the query itself. */
async function rerun(context: ApiContext, { runID, fromStep }: RerunArguments): Promise<string> {
  const { stepID: stepId, input } = fromStep ?? { stepID: "" };
  const text = typeof input === "string" ? assertJson(input) : JSON.stringify(input ?? null);
  const step = { stepId, input: text === jsonNull ? null : assertJson(text) };
  const reply = await rerunRun(context, runID, stepId === "" ? null : step);
  if (!reply.ok) throw refusalError(reply);
  return startedRunId(reply);
}

async function invoke(
  context: ApiContext,
  { functionSlug, data, user }: InvokeArguments,
): Promise<true> {
  const invocation = { data: data ?? undefined, user: user ?? undefined };
  const reply = await startFunction(context, functionSlug, JSON.stringify(invocation));
  if (!reply.ok) throw refusalError(reply);
  return true;
}
