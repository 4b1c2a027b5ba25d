// An old process that drains while a new one wants its store, as real processes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Api } from "../support/api.ts";
import { Child } from "../support/child.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { examine } from "../crash/doctor.ts";
import { memoOf, opcodes, returned, stepRun, WireApp, type WireCall } from "./wire-app.ts";

const program = fileURLToPath(import.meta.resolve("pawl-cli/bin/pawl.js"));

let app: WireApp;
/** The first call of each run waits for the gate of its key. */
const gates = new Map<string, PromiseWithResolvers<void>>();
const calls = new Map<string, WireCall[]>();

async function handle(call: WireCall) {
  const key = String(call.event.data["key"]);
  const before = calls.get(key) ?? [];
  calls.set(key, [...before, call]);
  if (memoOf(call, "a") !== undefined) return returned(memoOf(call, "a"));
  if (before.length === 0 || key === "late") await gates.get(key)?.promise;
  return opcodes(stepRun("a", `by call ${String(before.length + 1)}`));
}

before(async () => {
  app = await WireApp.start("takeover", [{ id: "f", event: "bugs/takeover" }], handle);
});

after(() => app.close());

/** Starts a server and a run whose first call is held. */
async function heldRun(key: string, flags: readonly string[]) {
  const server = await PawlServer.start({ flags: ["--retry-interval", "0", ...flags] });
  await app.register(server.url);
  gates.set(key, Promise.withResolvers());
  const eventId = await server.api.sendOne({ name: "bugs/takeover", data: { key } });
  const call = await eventually("the call is out", () => calls.get(key)?.[0]);
  return { server, eventId, call };
}

/** Saves a step as the dispatch of that call. */
async function checkpoint(server: PawlServer, call: WireCall, ...steps: object[]): Promise<number> {
  const { runId, jobId, requestId } = call;
  const body = { run_id: runId, fn_id: "", qi_id: jobId, request_id: requestId, steps, ts: 1 };
  return (await server.api.request("POST", `/v1/checkpoint/${runId}/async`, body)).status;
}

async function assertSound(server: PawlServer): Promise<void> {
  assert.equal((await server.stop()).code, 0);
  const { code, unfinished, output } = await examine(server.dir);
  assert.deepEqual([code, unfinished], [0, 0], output);
}

test("bug class 4: while the old process drains, a new one is refused the store; then it takes over what is there", async () => {
  const { server: old, eventId, call } = await heldRun("drains", ["--drain-timeout", "20"]);
  old.child.kill("SIGTERM");
  await eventually("it drains", () => old.output.includes("stopping"));
  const refused = await contend(old.dir);
  assert.deepEqual(await refused.exited, { code: 1, signal: null }, refused.output);
  assert.match(refused.output, /store_locked/);
  assert.equal(await checkpoint(old, call, stepRun("b", "saved while draining")), 200);
  gates.get("drains")?.resolve();
  assert.deepEqual(await old.child.exited, { code: 0, signal: null });
  const next = await PawlServer.start({ dir: old.dir, port: old.port });
  const [run] = await next.api.ended(eventId);
  assert.deepEqual([run?.status, run?.output], ["Completed", { data: "by call 1" }]);
  assert.equal(calls.get("drains")?.length, 2, "the step was called for once");
  await assertSound(next);
});

test("bug class 4: a new process waits for nobody: what the old one's call still brings counts once", async () => {
  const { server: old, eventId, call } = await heldRun("late", ["--drain-timeout", "0"]);
  old.child.kill("SIGTERM");
  assert.deepEqual(await old.child.exited, { code: 0, signal: null });
  const next = await PawlServer.start({ dir: old.dir, port: old.port });
  const again = await eventually("it is called again", () => calls.get("late")?.[1]);
  assert.notEqual(again.requestId, call.requestId);
  assert.equal(await checkpoint(next, call, stepRun("a", "by the old call")), 409);
  assert.equal(await checkpoint(next, again, stepRun("a", "by the new call")), 409);
  const [run] = await next.api.ended(eventId);
  assert.deepEqual([run?.status, run?.output], ["Completed", { data: "by the old call" }]);
  gates.get("late")?.resolve();
  await assertSound(next);
});

test("bug class 4: of several that start at once on one store, one serves, and the others say why not", async () => {
  const { server: old, eventId } = await heldRun("rush", ["--drain-timeout", "0"]);
  await old.stop("SIGKILL");
  gates.get("rush")?.resolve();
  const rivals = await Promise.all(Array.from({ length: 4 }, () => contend(old.dir)));
  const [winner, ...more] = rivals.filter(({ isAlive }) => isAlive);
  assert.ok(
    winner !== undefined && more.length === 0,
    `${String(more.length + 1)} servers on one store`,
  );
  for (const rival of rivals) {
    if (rival !== winner) assert.match(rival.output, /store_locked/);
  }
  const url = /listens on (http:\S+)/.exec(winner.output)?.[1] ?? "";
  const [run] = await new Api(url).ended(eventId);
  assert.equal(run?.status, "Completed");
  assert.equal((await winner.stop()).code, 0);
  const { code, unfinished, output } = await examine(old.dir);
  assert.deepEqual([code, unfinished], [0, 0], output);
});

/** Starts a server on the folder, and waits until it serves or has ended. */
async function contend(dir: string): Promise<Child> {
  const args = [program, "dev", "--dir", dir, "--port", "0", "--no-discovery"];
  const child = await Child.start({ args, cwd: dir });
  await eventually(
    "it serves or has ended",
    () => !child.isAlive || /listens on http:/.test(child.output),
  );
  return child;
}
