// `pawl explain`: says why a run is not running. Asks a server, or reads the store of one that is
// stopped. It must not know how reasons are found.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CliError } from "../cli-error.ts";
import type { Arguments, Command, FlagSpec, Terminal } from "../command.ts";
import { readOptions } from "../option-flags.ts";
import { serverAddress, unreachable, urlFlag } from "../server-address.ts";
import { storePath } from "../store-path.ts";

const flag: Omit<FlagSpec, "help"> = {
  kind: "value",
  short: null,
  placeholder: "",
  environment: null,
  fallback: null,
};

export const explainCommand: Command = {
  name: "explain",
  summary: "Say why a run is not running, when it will, and what to do.",
  usage: "RUN [flags]",
  positionalsMax: 1,
  flags: {
    url: urlFlag,
    "api-key": {
      ...flag,
      placeholder: "KEY",
      help: "Key of the API: an API key or the signing key.",
      environment: "PAWL_API_KEY",
    },
    dir: {
      ...flag,
      placeholder: "DIR",
      help: "Read the store of a stopped server instead of asking one.",
    },
    json: { ...flag, kind: "flag", help: "Print the explanation as JSON." },
  },
  run: explain,
};

async function explain({ flags, positionals }: Arguments, terminal: Terminal): Promise<number> {
  const [runId] = positionals;
  if (runId === undefined) {
    throw new CliError("usage_invalid", "Name the run: pawl explain 01J0000000000000000000000A.");
  }
  const dir = text(flags["dir"]);
  const explanation =
    dir === null
      ? await fromServer(runId, text(flags["url"]), text(flags["api-key"]), terminal)
      : await fromStore(runId, storePath(resolve(terminal.directory, dir)), terminal);
  if (flags["json"] === true) terminal.print(JSON.stringify(explanation));
  else for (const line of report(explanation)) terminal.print(line);
  return 0;
}

async function fromServer(
  runId: string,
  url: string | null,
  givenKey: string | null,
  terminal: Terminal,
): Promise<unknown> {
  const { environment } = terminal;
  const key = givenKey ?? environment["PAWL_API_KEY"] ?? environment["PAWL_SIGNING_KEY"] ?? null;
  const target = new URL(
    `v2/runs/${encodeURIComponent(runId)}/explain`,
    serverAddress(url, terminal),
  );
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(target, { headers }).catch((cause: unknown) => {
    throw unreachable(target, cause);
  });
  const body = parsed(await response.text());
  const data = member(body, "data");
  if (response.ok && data !== undefined) return data;
  const reason = textAt(firstOf(member(body, "errors")), "message");
  if (response.status === 404 && reason !== null) throw runNotFound(reason);
  throw new CliError(
    "server_refused",
    `The server refused to explain the run with status ${String(response.status)}: ${reason ?? "the answer is not that of a Pawl server."}`,
  );
}

async function fromStore(runId: string, path: string, terminal: Terminal): Promise<unknown> {
  if (!existsSync(path)) {
    throw new CliError(
      "input_invalid",
      `There is no store at ${path}. Name the folder of one with --dir.`,
    );
  }
  const [{ createSqliteStore }, { bootState }, { loadExplanation }, { explanationJson }, settings] =
    await Promise.all([
      import("@pawl/store-sqlite/sqlite-store"),
      import("@pawl/server/loop/boot"),
      import("@pawl/server/query/explain-run"),
      import("@pawl/server/api/explanation-json"),
      import("@pawl/engine/settings"),
    ]);
  const values = await readOptions({}, terminal);
  const store = createSqliteStore({ path });
  const { epoch } = await store.open();
  try {
    const hot = await bootState(store, {
      ...settings.defaultSettings,
      callsPerAppMax: values["calls-per-app-max"],
      epoch,
    });
    const sources = { hot, store, callTimes: () => null };
    const explanation = await loadExplanation(sources, runId, Date.now());
    if (explanation === null) throw runNotFound(`There is no run ${runId} in ${path}.`);
    return JSON.parse(explanationJson(explanation));
  } finally {
    await store.close();
  }
}

function runNotFound(reason: string): CliError {
  const hint = "Runs are listed by GET /v1/runs; old ones are removed (--retention-days).";
  return new CliError("run_not_found", `${reason} ${hint}`);
}

/** Two lines a reason: what is the case, and what to do. */
function report(explanation: unknown): readonly string[] {
  const fn = textAt(explanation, "functionSlug") ?? textAt(explanation, "functionId");
  const status = textAt(explanation, "status")?.toLowerCase();
  const reasons = member(explanation, "reasons");
  const more = Number(member(explanation, "more") ?? 0);
  return [
    `Run ${textAt(explanation, "runId") ?? ""} of ${fn ?? ""}: ${status ?? ""}`,
    ...(Array.isArray(reasons) ? reasons : []).flatMap((reason: unknown) => [
      "",
      `  ${textAt(reason, "sentence") ?? ""}`,
      `  Next: ${textAt(reason, "next") ?? ""}`,
    ]),
    ...(more === 0 ? [] : ["", `  … and ${String(more)} more.`]),
  ];
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function textAt(value: unknown, name: string): string | null {
  const found = member(value, name);
  return typeof found === "string" ? found : null;
}

function text(flagged: string | boolean | readonly string[] | undefined): string | null {
  return typeof flagged === "string" ? flagged : null;
}
