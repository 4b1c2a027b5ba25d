// A disk that is full while events and answers come in: refusals say so, nothing acknowledged is
// lost, and with room again everything goes on.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createSqliteStore } from "@pawl/store-sqlite/sqlite-store";
import { startServer } from "@pawl/server/server";
import { Api } from "../support/api.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { examine } from "../crash/doctor.ts";
import { memoOf, opcodes, returned, stepRun, WireApp, type WireCall } from "./wire-app.ts";

const mebibyte = 1024 * 1024;
const eventChars = 20_000;

/** How often a step was called for after its memo had been shown. */
let again = 0;
const shown = new Set<string>();

function twoSteps(call: WireCall) {
  for (const id of ["a", "b"]) {
    const name = `${call.runId} ${id}`;
    if (memoOf(call, id) !== undefined) {
      shown.add(name);
      continue;
    }
    if (shown.has(name)) again++;
    return opcodes(stepRun(id, "x".repeat(1_000)));
  }
  return returned("done");
}

async function startApp(serverUrl: string): Promise<WireApp> {
  const app = await WireApp.start("full", [{ id: "f", event: "bugs/full" }], twoSteps);
  await app.register(serverUrl);
  return app;
}

/** Sends events until one is refused. Resolves with those accepted and the refusal. */
async function fill(api: Api) {
  const accepted: string[] = [];
  for (;;) {
    const data = { text: "x".repeat(eventChars) };
    const answer = await api.request("POST", "/e/test", { name: "bugs/full", data });
    // proof: the answers to events, accepted and refused
    const { ids, code } = answer.body as { ids?: string[]; code?: string };
    if (answer.status !== 200) return { accepted, status: answer.status, code };
    accepted.push(...(ids ?? []));
    assert.ok(accepted.length < 5_000, "the disk never gets full");
  }
}

async function allComplete(api: Api, eventIds: readonly string[]): Promise<void> {
  for (const eventId of eventIds) {
    const [run] = await api.ended(eventId);
    assert.deepEqual([run?.status, run?.output], ["Completed", "done"]);
  }
  assert.equal(again, 0, "no acknowledged step was called for again");
}

async function assertSound(dir: string, runs: number): Promise<void> {
  const { code, unfinished, runs: found, output } = await examine(dir);
  assert.deepEqual([code, unfinished, found], [0, 0, runs], output);
}

test("bug class 19: a database that may not grow refuses events, and loses none", async () => {
  const dir = makeTempDir("full");
  const path = join(dir, "pawl.db");
  const small = await startServer({
    store: createSqliteStore({ path, databaseBytesMax: 2 * mebibyte }),
    settings: { retryIntervalMs: 0 },
    drainMs: 0,
  });
  const app = await startApp(small.url);
  const { accepted, status, code } = await fill(new Api(small.url));
  assert.deepEqual([status, code], [503, "store_full"]);
  assert.ok(accepted.length > 0);
  await small.close();
  const large = await startServer({ store: createSqliteStore({ path }) });
  const api = new Api(large.url);
  accepted.push(await api.sendOne({ name: "bugs/full" }));
  await allComplete(api, accepted);
  await large.close();
  await app.close();
  await assertSound(dir, accepted.length);
});

/** A file system of that size; null when this user may not make one. */
function mountSmallDisk(bytes: number): string | null {
  const dir = makeTempDir("disk");
  const { status } = spawnSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${String(bytes)}`,
    "pawl",
    dir,
  ]);
  return status === 0 ? dir : null;
}

for (const killed of [false, true]) {
  const how = killed ? "a restart after SIGKILL" : "the same process";
  test(`bug class 19: a full disk gets room again, and ${how} goes on`, async (t) => {
    const dir = mountSmallDisk(10 * mebibyte);
    if (dir === null)
      return t.skip("only root may mount a small disk; the test above covers the rest");
    t.after(() => spawnSync("umount", ["-l", dir]));
    const ballast = join(dir, "ballast");
    writeFileSync(ballast, Buffer.alloc(7 * mebibyte));
    const server = await PawlServer.start({ dir, flags: ["--retry-interval", "0"] });
    const app = await startApp(server.url);
    const { accepted, status, code } = await fill(server.api);
    assert.deepEqual([status, code], [503, "store_full"]);
    assert.equal((await server.api.request("GET", "/health")).status, 200);
    assert.equal(
      (await server.api.runsOf(accepted[0] ?? "")).length,
      1,
      "what is there can be read",
    );
    if (killed) await server.stop("SIGKILL");
    rmSync(ballast);
    const next = killed ? await server.restart() : server;
    accepted.push(
      await eventually("events are accepted", () => next.api.sendOne({ name: "bugs/full" })),
    );
    await allComplete(next.api, accepted);
    assert.equal((await next.stop()).code, 0);
    await app.close();
    await assertSound(dir, accepted.length);
    t.diagnostic(`${String(accepted.length)} events accepted before the disk was full`);
  });
}
