// `pawl runs cancel|rerun`: does something to many runs. It counts them first, does nothing unless
// told so, and then shows how far the server has come.
import { setTimeout as pause } from "node:timers/promises";
import { parseDuration, parseTimestamp } from "@pawl/protocol/duration";
import { CliError } from "../cli-error.ts";
import type { Arguments, Command, FlagSpec, FlagValues, Terminal } from "../command.ts";
import { serverAddress, unreachable } from "../server-address.ts";

const value = (placeholder: string, help: string, environment: string | null = null): FlagSpec => ({
  kind: "value",
  short: null,
  placeholder,
  help,
  environment,
  fallback: null,
});
const list = (placeholder: string, help: string): FlagSpec => ({
  ...value(placeholder, help),
  kind: "list",
});
const flag = (help: string): FlagSpec => ({ ...value("", help), kind: "flag" });

export const runsCommand: Command = {
  name: "runs",
  summary: "Cancel many runs, or start them again.",
  usage: "cancel|rerun [flags]",
  positionalsMax: 1,
  flags: {
    function: list("ID", "Runs of this function, <app>-<function>; may be repeated."),
    app: list("NAME", "Runs of this app; may be repeated."),
    status: list("STATUS", "Runs of this status; else queued and running, or failed, ones."),
    since: value("TIME", "Runs from this time on: 2026-11-21T22:00:00Z, or so long ago: 2h."),
    until: value("TIME", "Runs from before this time, or from before so long ago."),
    if: value("CEL", "Runs for which this is true, over event, output and error."),
    "dry-run": flag("Count the runs and do nothing."),
    yes: flag("Do it without asking."),
    url: value("URL", "Address of the server.", "PAWL_BASE_URL"),
    "signing-key": value("KEY", "Key of the server's API.", "PAWL_SIGNING_KEY"),
    json: flag("Print the answers as JSON."),
  },
  run: actOnRuns,
};

const pollMs = 300;

interface Preview {
  readonly count: number;
  readonly is_complete: boolean;
  readonly sample: readonly string[];
}

interface Progress {
  readonly id: string;
  readonly state: "active" | "completed" | "stopped";
  readonly examined: number;
  readonly matched: number;
  readonly done: number;
  readonly failed: number;
  readonly problem: string | null;
}

async function actOnRuns({ flags, positionals }: Arguments, terminal: Terminal): Promise<number> {
  const [action] = positionals;
  if (action !== "cancel" && action !== "rerun") {
    throw new CliError(
      "usage_invalid",
      'Say what to do: "pawl runs cancel" or "pawl runs rerun", with the runs that are meant.',
    );
  }
  const ask = asker(flags, terminal);
  const request = { action, filter: filterOf(flags) };
  const counted = (await ask("POST", "v1/bulk", { ...request, dry_run: true })) as Preview; // proof: the documented answer
  const count = `${counted.is_complete ? "" : "at least "}${String(counted.count)}`;
  const isQuiet = flags["json"] === true;
  if (flags["dry-run"] === true) {
    if (isQuiet) terminal.print(JSON.stringify(counted));
    else for (const line of [`${count} runs`, ...counted.sample]) terminal.print(line);
    return 0;
  }
  if (!isQuiet) terminal.print(`${action}: ${count} runs`);
  if (counted.count === 0) return 0;
  if (flags["yes"] !== true && !(await isConfirmed(action, terminal))) {
    terminal.complain("Nothing was done.");
    return 1;
  }
  const created = (await ask("POST", "v1/bulk", request)) as Progress; // proof: the documented answer
  const ended = await follow(created, ask, isQuiet ? () => undefined : terminal.print);
  if (isQuiet) terminal.print(JSON.stringify(ended));
  else if (ended.problem !== null) terminal.complain(`The last problem: ${ended.problem}`);
  return ended.failed === 0 && ended.state === "completed" ? 0 : 1;
}

/** Without a terminal there is nobody to ask: that needs `--yes`. */
async function isConfirmed(action: string, terminal: Terminal): Promise<boolean> {
  if (!terminal.isInteractive) {
    const message = `This would ${action} runs. Say --yes to do it, or --dry-run to only count them.`;
    throw new CliError("usage_invalid", message);
  }
  return /^y(es)?$/i.test((await terminal.ask(`${action} them? [y/N] `)).trim());
}

async function follow(
  created: Progress,
  ask: Asker,
  print: (line: string) => void,
): Promise<Progress> {
  let shown = "";
  for (let now = created; ; ) {
    const line = `${String(now.done)} of ${String(now.matched)} done, ${String(now.failed)} failed, ${String(now.examined)} looked at (${now.state})`;
    if (line !== shown) print(line);
    shown = line;
    if (now.state !== "active") return now;
    await pause(pollMs);
    now = (await ask("GET", `v1/bulk/${created.id}`)) as Progress; // proof: the documented answer
  }
}

function filterOf(flags: FlagValues): object {
  const part = (name: string, given: unknown): object =>
    given === undefined || given === null ? {} : { [name]: given };
  return {
    ...part("function_ids", flags["function"]),
    ...part("app_ids", flags["app"]),
    ...part("statuses", flags["status"]),
    ...part("from", timeOf(flags, "since")),
    ...part("until", timeOf(flags, "until")),
    ...part("if", flags["if"]),
  };
}

function timeOf(flags: FlagValues, name: string): string | null {
  const given = flags[name];
  if (typeof given !== "string") return null;
  const agoMs = parseDuration(given);
  const at = agoMs === null ? parseTimestamp(given) : Date.now() - agoMs;
  if (at !== null) return new Date(at).toISOString();
  throw new CliError(
    "usage_invalid",
    `--${name} must be a time like 2026-11-21T22:00:00Z or a duration like 2h, not ${given}.`,
  );
}

type Asker = (method: "GET" | "POST", path: string, body?: object) => Promise<unknown>;

/** Resolves with `data` of an answer. Rejects with `server_refused` and `server_unreachable`. */
function asker(flags: FlagValues, terminal: Terminal): Asker {
  const text = (name: string): string | null => {
    const given = flags[name];
    return typeof given === "string" ? given : null;
  };
  const address = serverAddress(text("url"), terminal);
  const key = text("signing-key") ?? terminal.environment["PAWL_SIGNING_KEY"] ?? null;
  return async (method, path, body) => {
    const headers = {
      ...(body === undefined ? null : { "content-type": "application/json" }),
      ...(key === null ? null : { authorization: `Bearer ${key}` }),
    };
    const sent = {
      method,
      headers,
      ...(body === undefined ? null : { body: JSON.stringify(body) }),
    };
    const response = await fetch(new URL(path, address), sent).catch((cause: unknown) => {
      throw unreachable(address, cause);
    });
    return dataOf(response);
  };
}

async function dataOf(response: Response): Promise<unknown> {
  const answer: unknown = await response.json().catch(() => null);
  const members = new Map<string, unknown>(
    typeof answer === "object" && answer !== null ? Object.entries(answer) : [],
  );
  if (response.ok && members.has("data")) return members.get("data");
  const error = members.get("error");
  const reason = typeof error === "string" ? error : "the answer is not that of a Pawl server";
  throw new CliError(
    "server_refused",
    `The server refused with status ${String(response.status)}: ${reason}`,
  );
}
