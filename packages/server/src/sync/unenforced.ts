// Finds what a function asks for and this version of the server does not do, so that nobody relies
// on a limit that is not there. It must not know apps.
import { membersOf } from "@pawl/protocol/json-span";
import type { RegisteredFunction } from "@pawl/protocol/registration-wire";

/** Options of protocol.md 1.3, in lower case: Go writes `Singleton`. */
const unenforced: ReadonlySet<string> = new Set(["batchevents", "debounce"]);

const empty: ReadonlySet<string> = new Set(["null", "[]", "{}"]);

/** Names of the options of a function that have no effect, as it wrote them, and `cron`. */
export function unenforcedOptions(fn: RegisteredFunction): readonly string[] {
  const names: string[] = [];
  for (const [name, value] of membersOf(fn.config)) {
    if (unenforced.has(name.toLowerCase()) && !empty.has(value.trim())) names.push(name);
  }
  if (fn.triggers.some((trigger) => trigger.kind === "cron")) names.push("cron");
  return names;
}
