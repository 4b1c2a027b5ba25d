// Deferred functions across the deaths of a real server: before the end of their run, and after it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashStepId } from "@pawl/protocol/step-id";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { examine } from "../crash/doctor.ts";
import { memoOf, opcodes, returned, stepRun, WireApp, type WireCall } from "./wire-app.ts";

function defer(id: string): object {
  return {
    id: hashStepId(id, 0),
    op: "DeferAdd",
    userland: { id },
    opts: { fn_slug: "late-later", input: { id } },
  };
}

const abort = {
  id: hashStepId("abort", 0),
  op: "DeferAbort",
  opts: { target_hashed_id: hashStepId("gone", 0) },
};

/** Answers calls of a kind only from the `n`-th on, so that a server can die meanwhile. */
class Held {
  #calls = 0;
  readonly #from: number;

  constructor(from: number) {
    this.#from = from;
  }

  isHeld(): boolean {
    this.#calls += 1;
    return this.#calls < this.#from;
  }

  get calls(): number {
    return this.#calls;
  }
}

test("a server that dies before or after the end of a run starts what it deferred once", async (t) => {
  const ending = new Held(2);
  const later = new Held(2);
  const defers: WireCall["defers"][] = [];
  const functions = [
    { id: "parent", event: "bugs/defers" },
    { id: "later", event: "inngest/deferred.schedule" },
  ];
  const app = await WireApp.start("late", functions, (call) => {
    if (call.functionId === "later") return later.isHeld() ? null : returned(call.event.data["id"]);
    if (memoOf(call, "a") === undefined)
      return opcodes(stepRun("a", 1), defer("kept"), defer("gone"), abort);
    defers.push(call.defers);
    return ending.isHeld() ? null : returned("done");
  });
  t.after(() => app.close());
  let server = await PawlServer.start();
  t.after(() => server.stop("SIGKILL"));
  await app.register(server.url);
  const eventId = await server.api.sendOne({ name: "bugs/defers" });
  const dies = async (): Promise<void> => {
    await server.stop("SIGKILL");
    server = await server.restart();
  };
  await eventually("the parent is about to return", () => ending.calls === 1);
  await dies();
  const [run] = await server.api.ended(eventId);
  assert.ok(run !== undefined);
  await eventually("what it deferred was called", () => later.calls === 1);
  await dies();
  const [kept, gone, ...more] = await eventually("it has ended", async () => {
    const found = await server.api.defers(run.run_id);
    const child = found[0]?.run_id ?? null;
    return child !== null && (await server.api.run(child)).ended_at !== null && found;
  });
  assert.deepEqual([kept?.status, gone?.status, more], ["sent", "aborted", []]);
  const known = { abortable: true };
  const expected = {
    [hashStepId("kept", 0)]: known,
    [hashStepId("gone", 0)]: { abortable: false },
  };
  assert.deepEqual(
    defers,
    [expected, expected],
    "the app is told of them before and after a death",
  );
  assert.equal((await server.api.runsOf(kept?.event_id ?? "")).length, 1);
  assert.equal((await server.api.events("inngest/deferred.schedule")).length, 1);
  assert.equal((await server.api.run(kept?.run_id ?? "")).output, "kept");
  await server.stop();
  const { code, runs, unfinished } = await examine(server.dir);
  assert.deepEqual([code, runs, unfinished], [0, 2, 0]);
});
