// `pawl schedules`: shows and changes the schedules that were made at runtime, through the REST API.
import { CliError } from "../cli-error.ts";
import type { Arguments, Command, FlagSpec, FlagValues, Terminal } from "../command.ts";
import { serverAddress, unreachable } from "../server-address.ts";

const value = (
  placeholder: string,
  help: string,
  environment: string | null = null,
  fallback: string | null = null,
): FlagSpec => ({ kind: "value", short: null, placeholder, help, environment, fallback });

const actions = ["list", "create", "pause", "resume", "trigger", "delete"] as const;
type Action = (typeof actions)[number];

export const schedulesCommand: Command = {
  name: "schedules",
  summary: "Show and change the schedules of a running server that were made at runtime.",
  usage: `<${actions.join("|")}> [id] [flags]`,
  positionalsMax: 2,
  flags: {
    cron: value("LINE", "create: when it ticks, five fields or six with seconds."),
    timezone: value("ZONE", "create: time zone of the cron line.", null, "UTC"),
    every: value("DURATION", "create: ticks at equal distances, for example 15m."),
    event: value("NAME", "create: the event that a tick sends."),
    function: value("ID", "create: the function that a tick starts, instead of an event."),
    data: value("JSON", "create: data of the event, or of the function.", null, "{}"),
    overlap: value("allow|skip|queue_one|cancel_previous", "create: while runs of it go on."),
    "catch-up": value("none|one|all", "create: which ticks that were missed are made up for."),
    reason: value("TEXT", "pause: why."),
    url: value("URL", "Address of the server.", "PAWL_BASE_URL", "http://127.0.0.1:8288"),
    "signing-key": value("KEY", "Key that opens the API.", "PAWL_SIGNING_KEY"),
    json: {
      kind: "flag",
      short: null,
      placeholder: "",
      help: "Print JSON, one object a line.",
      environment: null,
      fallback: null,
    },
  },
  run,
};

/** A schedule as the server shows it, as far as people are shown it here. */
interface Shown {
  readonly id: string;
  readonly cron: string | null;
  readonly timezone: string | null;
  readonly every: string | null;
  readonly event: { readonly name: string } | null;
  readonly function: { readonly id: string } | null;
  readonly paused: boolean;
  readonly next_at: string | null;
  readonly last_at: string | null;
  readonly fired: number;
  readonly skipped: number;
  readonly missed: number;
}

interface Page {
  readonly schedules: readonly Shown[];
  readonly cursor: string | null;
}

type Ask = (method: string, path: string, body?: string) => Promise<unknown>;

async function run({ flags, positionals }: Arguments, terminal: Terminal): Promise<number> {
  const [given, id] = positionals;
  const action = actions.find((candidate) => candidate === given);
  if (action === undefined) {
    throw new CliError("usage_invalid", `Say what to do: pawl schedules ${actions.join("|")}.`);
  }
  const found = await perform(action, id, flags, asker(flags, terminal));
  if (flags["json"] === true) for (const one of found) terminal.print(JSON.stringify(one));
  else if (action === "delete") terminal.print(`${id ?? ""} is deleted`);
  else for (const line of table(found)) terminal.print(line);
  return 0;
}

async function perform(
  action: Action,
  id: string | undefined,
  flags: FlagValues,
  ask: Ask,
): Promise<readonly Shown[]> {
  if (action === "list") return list(ask);
  if (id === undefined)
    throw new CliError("usage_invalid", `Name the schedule: pawl schedules ${action} my-schedule.`);
  const path = `/${encodeURIComponent(id)}`;
  const answer =
    action === "create"
      ? ask("POST", "", definition(id, flags))
      : action === "delete"
        ? ask("DELETE", path)
        : action === "pause"
          ? ask("POST", `${path}/pause`, JSON.stringify({ reason: text(flags["reason"]) }))
          : ask("POST", `${path}/${action}`);
  return [(await answer) as Shown]; // proof: what the server documents for these routes
}

async function list(ask: Ask): Promise<readonly Shown[]> {
  const all: Shown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const path = `?first=400&cursor=${encodeURIComponent(cursor)}`;
    const page = (await ask("GET", path)) as Page; // proof: what the server documents for it
    all.push(...page.schedules);
    cursor = page.cursor;
  }
  return all;
}

/** The body of a new schedule; data goes out as the text that came in. */
function definition(id: string, flags: FlagValues): string {
  const plain = {
    id,
    cron: text(flags["cron"]),
    timezone: text(flags["timezone"]),
    every: text(flags["every"]),
    overlap: text(flags["overlap"]),
    catch_up: text(flags["catch-up"]),
  };
  const name = text(flags["event"]);
  const fn = text(flags["function"]);
  const members = [JSON.stringify(plain).slice(1, -1)];
  const data = `"data":${readData(text(flags["data"]) ?? "{}")}`;
  if (name !== undefined) members.push(`"event":{"name":${JSON.stringify(name)},${data}}`);
  if (fn !== undefined) members.push(`"function":{"id":${JSON.stringify(fn)},${data}}`);
  return `{${members.join(",")}}`;
}

function readData(data: string): string {
  try {
    JSON.parse(data);
    return data;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("input_invalid", `--data is no valid JSON: ${reason}`, { cause });
  }
}

function asker(flags: FlagValues, terminal: Terminal): Ask {
  const address = serverAddress(text(flags["url"]) ?? null, terminal);
  const key = text(flags["signing-key"]) ?? terminal.environment["PAWL_SIGNING_KEY"];
  const headers = {
    "content-type": "application/json",
    ...(key === undefined ? null : { authorization: `Bearer ${key}` }),
  };
  return async (method, path, body) => {
    const target = new URL(`v1/schedules${path}`, address);
    const init = { method, headers, ...(body === undefined ? null : { body }) };
    const response = await fetch(target, init).catch((cause: unknown) => {
      throw unreachable(target, cause);
    });
    const { data, error } = answerOf(await response.text());
    if (response.ok && data !== undefined) return data;
    const reason = typeof error === "string" ? error : "the answer is not that of a Pawl server";
    throw new CliError("server_refused", `The server refused (${response.status}): ${reason}`);
  };
}

function answerOf(content: string): { readonly data?: unknown; readonly error?: unknown } {
  try {
    const answer: unknown = JSON.parse(content);
    return typeof answer === "object" && answer !== null ? answer : {};
  } catch {
    return {};
  }
}

/** One line each, in columns. */
function table(schedules: readonly Shown[]): readonly string[] {
  if (schedules.length === 0) return ["There are no schedules."];
  const rows = [
    ["ID", "WHEN", "WHAT", "NEXT", "LAST", "FIRED", "SKIPPED", "MISSED"],
    ...schedules.map((schedule) => [
      schedule.id,
      schedule.cron === null
        ? `every ${schedule.every ?? ""}`
        : `${schedule.cron} (${schedule.timezone ?? "UTC"})`,
      schedule.event?.name ?? schedule.function?.id ?? "",
      schedule.paused ? "paused" : (schedule.next_at ?? "ended"),
      schedule.last_at ?? "-",
      String(schedule.fired),
      String(schedule.skipped),
      String(schedule.missed),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function text(flag: string | boolean | readonly string[] | undefined): string | undefined {
  return typeof flag === "string" ? flag : undefined;
}
