// `pawl send`: sends events to a server. A request that is repeated after a lost answer carries
// the same seed, so that its events are stored once.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CliError } from "../cli-error.ts";
import type { Arguments, Command, FlagSpec, Terminal } from "../command.ts";
import { serverAddress, unreachable, urlFlag } from "../server-address.ts";

const value = (
  placeholder: string,
  help: string,
  environment: string | null,
  fallback: string | null,
): FlagSpec => ({
  kind: "value",
  short: null,
  placeholder,
  help,
  environment,
  fallback,
});

export const sendCommand: Command = {
  name: "send",
  summary: "Send an event to a running server.",
  usage: "<name> [json] [flags]",
  positionalsMax: 2,
  flags: {
    data: value(
      "FILE|-",
      "Read the event's data from a file, or - for standard input.",
      null,
      null,
    ),
    id: value("ID", "Idempotency key of the event.", null, null),
    count: value(
      "N",
      "Send so many events of this kind; with --id, ids get -1, -2, … behind them.",
      null,
      "1",
    ),
    url: urlFlag,
    "event-key": value("KEY", "Key to send events with.", "PAWL_EVENT_KEY", null),
    json: {
      kind: "flag",
      short: null,
      placeholder: "",
      help: "Print the answer as JSON.",
      environment: null,
      fallback: null,
    },
  },
  run: send,
};

const countMax = 100_000;
const eventsPerRequest = 500;
const triesMax = 4;

async function send({ flags, positionals }: Arguments, terminal: Terminal): Promise<number> {
  const [name] = positionals;
  if (name === undefined)
    throw new CliError(
      "usage_invalid",
      "Name the event: pawl send shop/order.placed '{\"total\": 12}'.",
    );
  const data = await readData(positionals[1], text(flags["data"]), terminal);
  const count = readCount(text(flags["count"]));
  const id = text(flags["id"]);
  const address = serverAddress(text(flags["url"]), terminal);
  const key = text(flags["event-key"]) ?? terminal.environment["PAWL_EVENT_KEY"] ?? "pawl-send";
  const target = new URL(`e/${encodeURIComponent(key)}`, address);
  const ids: string[] = [];
  for (let sent = 0; sent < count; sent += eventsPerRequest) {
    const events = Array.from({ length: Math.min(eventsPerRequest, count - sent) }, (_, index) =>
      writeEvent(name, data, count === 1 || id === null ? id : `${id}-${String(sent + index + 1)}`),
    );
    ids.push(...(await post(target, `[${events.join(",")}]`)));
  }
  if (flags["json"] === true) terminal.print(JSON.stringify({ ids }));
  else for (const accepted of ids) terminal.print(accepted);
  return 0;
}

/** Data goes out as the text that came in. */
function writeEvent(name: string, data: string | null, id: string | null): string {
  const idMember = id === null ? "" : `,"id":${JSON.stringify(id)}`;
  const dataMember = data === null ? "" : `,"data":${data}`;
  return `{"name":${JSON.stringify(name)}${idMember}${dataMember}}`;
}

async function readData(
  argument: string | undefined,
  file: string | null,
  terminal: Terminal,
): Promise<string | null> {
  if (argument !== undefined && file !== null) {
    throw new CliError("usage_invalid", "Give the data as an argument or with --data, not both.");
  }
  const source = file === null ? "The second argument" : file === "-" ? "Standard input" : file;
  const content =
    file === null ? argument : file === "-" ? await terminal.readInput() : readFile(file, terminal);
  if (content === undefined) return null;
  const parsed = parse(content, source);
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return content;
  throw new CliError(
    "input_invalid",
    `${source} must be a JSON object, for example '{"total": 12}'.`,
  );
}

function readFile(path: string, terminal: Terminal): string {
  try {
    return readFileSync(resolve(terminal.directory, path), "utf8");
  } catch (cause) {
    throw new CliError("input_invalid", `The file ${path} cannot be read.`, { cause });
  }
}

function parse(content: string, source: string): unknown {
  try {
    return JSON.parse(content);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("input_invalid", `${source} is no valid JSON: ${reason}`, { cause });
  }
}

function readCount(given: string | null): number {
  if (given === null) return 1;
  const count = Number(given);
  if (/^\d+$/.test(given) && count >= 1 && count <= countMax) return count;
  throw new CliError(
    "usage_invalid",
    `--count must be a whole number from 1 to ${String(countMax)}, not ${given}.`,
  );
}

/** Repeats what may pass: no answer, or a server that is busy or starting. */
async function post(target: URL, body: string): Promise<readonly string[]> {
  const headers = {
    "content-type": "application/json",
    "x-inngest-event-id-seed": `${String(Date.now())},${randomBytes(10).toString("base64")}`,
  };
  for (let tries = 1; ; tries += 1) {
    const outcome = await fetch(target, { method: "POST", body, headers }).catch(
      (cause: unknown) => cause,
    );
    const again = !(outcome instanceof Response) || outcome.status >= 500;
    if (again && tries < triesMax) {
      await pause(100 * 2 ** tries);
      continue;
    }
    if (outcome instanceof Response) return readAnswer(outcome);
    throw unreachable(target, outcome);
  }
}

async function readAnswer(response: Response): Promise<readonly string[]> {
  const { ids, error } = answerOf(await response.text());
  if (response.ok && Array.isArray(ids)) return ids.map(String);
  const reason = typeof error === "string" ? error : "the answer is not that of a Pawl server";
  throw new CliError(
    "server_refused",
    `The server refused the events with status ${String(response.status)}: ${reason}`,
  );
}

function answerOf(content: string): { readonly ids?: unknown; readonly error?: unknown } {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function text(flag: string | boolean | readonly string[] | undefined): string | null {
  return typeof flag === "string" ? flag : null;
}
