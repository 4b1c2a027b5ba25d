// Brings the app at a URL into sync, now: asks it, and registers what it answers. It must not know
// who wants it, nor when to try again.
import type { AppRecord } from "@pawl/engine/records";
import { messageOf } from "../server-error.ts";
import type { AppClient } from "./app-client.ts";
import { appUrlKey } from "./app-url.ts";
import type { Registrar } from "./registrar.ts";

export interface SyncParts {
  readonly client: Pick<AppClient, "requestSync">;
  readonly registrar: Registrar;
  readonly apps: () => Iterable<AppRecord>;
}

/** The app with a name that serves at a URL; one known by its endpoints alone serves nowhere. */
export function appAt(apps: Iterable<AppRecord>, url: string): AppRecord | undefined {
  const key = appUrlKey(url);
  return [...apps].find(
    (app) => app.name !== "" && app.endpoints !== true && appUrlKey(app.url) === key,
  );
}

/** Why the app at the URL is not in sync now; null when it is. */
export async function syncApp(parts: SyncParts, url: string): Promise<string | null> {
  const before = appAt(parts.apps(), url);
  const answer = await parts.client.requestSync(url);
  if (answer.kind === "failed") return answer.error;
  if (answer.kind === "out_of_band")
    return appAt(parts.apps(), url) === undefined ? elsewhere(url) : null;
  // It moved while it was asked: what its old place says would move it back.
  if (before !== undefined && appAt(parts.apps(), url)?.id !== before.id) return null;
  try {
    const reply = await parts.registrar.registerInBand(answer.body);
    return reply.ok ? null : reply.message;
  } catch (error) {
    return `The app at ${url} sent a registration that cannot be used: ${messageOf(error)}`;
  }
}

function elsewhere(url: string): string {
  return `The app at ${url} says that it registered, but not with this server under this URL. Check PAWL_BASE_URL or INNGEST_BASE_URL, and the origin and path it serves at.`;
}
