// Finds what a function asks for and this version of the server does not do, so that nobody relies
// on what is not there. It must not know apps.
import type { RegisteredFunction } from "@pawl/protocol/registration-wire";

/** Names of what a function asks for in vain. */
export function unenforcedOptions(fn: RegisteredFunction): readonly string[] {
  return fn.triggers.some((trigger) => trigger.kind === "cron") ? ["cron"] : [];
}
