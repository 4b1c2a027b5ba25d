// Turns registrations into commands: what an app says of itself becomes records with ids, and an
// app that was only known by its URL gives way to the one that answered there. Whether a
// registration can work is decided by the engine.
import type { AppSynced } from "@pawl/engine/commands";
import type { Reply } from "@pawl/engine/decision";
import type { AppRecord } from "@pawl/engine/records";
import type { Registration } from "@pawl/protocol/registration-wire";
import { uuidFromName } from "@pawl/protocol/uuid";
import type { CommandInput } from "../loop/batch.ts";
import type { Log } from "../loop/log.ts";
import { appUrlKey } from "./app-url.ts";

export interface RegistrarParts {
  readonly submit: (command: CommandInput) => Promise<Reply>;
  readonly apps: () => Iterable<AppRecord>;
  readonly retriesDefault: number;
  readonly log: Log;
}

/** All reject with a `ServerError` when the decision could not be committed. */
export interface Registrar {
  /** Takes the body of an out-of-band registration. Rejects with a `ProtocolError` when unusable. */
  register(body: string): Promise<Reply>;
  /** Takes the configuration that an app sent in answer to a sync. Rejects as `register` does. */
  registerInBand(body: string): Promise<Reply>;
  /** Keeps why an app could not be synced. */
  fail(appId: string, url: string, error: string): Promise<void>;
}

export function createRegistrar(parts: RegistrarParts): Registrar {
  // The schemas are needed by the first registration, not by the start of the server.
  const wire = () => import("@pawl/protocol/registration-wire");
  return {
    register: async (body) => submitSync(parts, (await wire()).readRegistration(body)),
    registerInBand: async (body) => submitSync(parts, (await wire()).readInBandSync(body)),
    fail: async (appId, url, error) => {
      await parts.submit({ type: "app.syncFailed", appId, url, error });
    },
  };
}

async function submitSync(parts: RegistrarParts, registration: Registration): Promise<Reply> {
  const reply = await parts.submit(syncCommand(registration, parts.retriesDefault));
  if (!reply.ok) return reply;
  const { appName, url, sdk, functions } = registration;
  if (reply.value.type === "synced" && reply.value.modified) {
    const message = `app "${appName}" at ${url} registered ${String(functions.length)} function(s)`;
    parts.log.info({ app: appName, url, sdk }, message);
  }
  const key = appUrlKey(registration.url);
  const placeholders = [...parts.apps()].filter(
    (app) => app.name === "" && appUrlKey(app.url) === key,
  );
  for (const { id } of placeholders) await parts.submit({ type: "app.removed", appId: id });
  return reply;
}

/** The ids of apps and functions follow from their names, so they are the same on every server. */
function syncCommand(
  registration: Registration,
  retriesDefault: number,
): Omit<AppSynced, "at" | "seed"> {
  const { appName, url, sdk, framework, platform, appVersion, checksum } = registration;
  const functions = registration.functions.map(
    ({ slug, name, triggers, retries, stepUrl, config }) => ({
      id: uuidFromName(`function:${slug}`),
      slug,
      name,
      url: stepUrl,
      triggers,
      retries: retries ?? retriesDefault,
      config,
    }),
  );
  const id = uuidFromName(`app:${appName}`);
  return {
    type: "app.synced",
    app: { id, name: appName, url, sdk, framework, platform, appVersion, checksum },
    functions,
  };
}
