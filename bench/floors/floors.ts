// What this machine can do at best, by the same means: HTTP posts, synced SQLite commits, JSON. To
// be measured in the same run as everything it stands beside. It must not know Pawl.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { Client } from "../lib/client.ts";
import { cpuSeconds, startScript } from "../lib/process.ts";
import type { Figures } from "../workloads.ts";

const text = JSON.stringify({ i: 7, at: 1_795_292_086_652.123, pad: "x".repeat(52) });

/** One round of all floors. Takes about three seconds at scale 1. */
export async function measureFloors(scale: number): Promise<Figures> {
  return { ...(await posts(Math.round(20_000 * scale))), ...commits(scale), ...json(scale) };
}

/** POSTs from undici to node:http, 64 in flight, and one after another. */
async function posts(count: number): Promise<Figures> {
  const echo = startScript(fileURLToPath(new URL("echo.ts", import.meta.url)), [], {});
  const client = new Client(await echo.firstLine);
  try {
    await many(client, 2_000, 64);
    const before = { server: cpuSeconds(echo.pid), client: process.cpuUsage() };
    const perSecond = await many(client, count, 64);
    const used = process.cpuUsage(before.client);
    const serverSeconds = cpuSeconds(echo.pid) - before.server;
    const alone = await many(client, Math.ceil(count / 10), 1);
    return {
      "HTTP posts/s, 64 in flight": perSecond,
      "HTTP post, server us": (serverSeconds / count) * 1e6,
      "HTTP post, client us": (used.user + used.system) / count,
      "HTTP post, one at a time, us": 1e6 / alone,
    };
  } finally {
    await client.close();
    await echo.stop();
  }
}

async function many(client: Client, count: number, inFlight: number): Promise<number> {
  let next = 0;
  const begin = performance.now();
  const lane = async (): Promise<void> => {
    while (next++ < count) await client.send(text);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (count / (performance.now() - begin)) * 1_000;
}

/** Transactions in a WAL that is synced at each commit. */
function commits(scale: number): Figures {
  const folder = mkdtempSync(join(tmpdir(), "pawl-floor-"));
  const database = new DatabaseSync(join(folder, "floor.db"));
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec(
      "CREATE TABLE step (run TEXT, i INTEGER, memo TEXT, PRIMARY KEY (run, i)) WITHOUT ROWID",
    );
    const insert = database.prepare("INSERT INTO step VALUES (?, ?, ?)");
    let row = 0;
    const rowsPerSecond = (rows: number, count: number): number => {
      const begin = performance.now();
      for (let n = 0; n < count; n++) {
        database.exec("BEGIN IMMEDIATE");
        for (let i = 0; i < rows; i++, row++) insert.run(`run-${row % 2_000}`, row, text);
        database.exec("COMMIT");
      }
      return ((rows * count) / (performance.now() - begin)) * 1_000;
    };
    return {
      "SQLite commits/s, 1 row": rowsPerSecond(1, Math.ceil(4_000 * scale)),
      "SQLite rows/s, 10 a commit": rowsPerSecond(10, Math.ceil(2_000 * scale)),
      "SQLite rows/s, 100 a commit": rowsPerSecond(100, Math.ceil(500 * scale)),
    };
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writing and reading the value of a step. */
function json(scale: number): Figures {
  const count = Math.ceil(300_000 * scale);
  const value: unknown = JSON.parse(text);
  let chars = 0;
  const begin = performance.now();
  for (let i = 0; i < count; i++) chars += JSON.stringify(value).length;
  const middle = performance.now();
  for (let i = 0; i < count; i++) chars += Object.keys(JSON.parse(text) as object).length; // proof: it is one
  const end = performance.now();
  if (chars === 0) throw new Error("nothing was written");
  return {
    "JSON.stringify/s": (count / (middle - begin)) * 1_000,
    "JSON.parse/s": (count / (end - middle)) * 1_000,
  };
}
