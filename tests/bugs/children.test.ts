// Runs that call runs, and the end of one of them before its time, on a real server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { examine } from "../crash/doctor.ts";
import {
  invoke,
  memoOf,
  opcodes,
  returned,
  stepPlanned,
  stepRun,
  WireApp,
  type WireCall,
} from "./wire-app.ts";

let server: PawlServer;
let app: WireApp;
/** Calls of the child that are held, by the key of their event. */
const held = new Map<string, PromiseWithResolvers<void>>();

function keyOf({ event }: WireCall): string {
  return String(event.data["key"]);
}

function parent(call: WireCall) {
  const memo = memoOf(call, "child");
  if (memo !== undefined) return returned(memo);
  return opcodes(invoke("child", "family-child", { key: keyOf(call) }));
}

async function child(call: WireCall) {
  if (memoOf(call, "work") !== undefined) return returned("done");
  await held.get(keyOf(call))?.promise;
  return opcodes(stepRun("work", 1));
}

/** Two children at once, and a step beside them. */
function couple(call: WireCall) {
  if (call.target !== "step") return opcodes(stepRun("beside", 1));
  const memos = ["one", "two", "beside"].map((id) => memoOf(call, id));
  if (!memos.includes(undefined)) return returned(memos);
  const data = { key: keyOf(call) };
  return opcodes(
    invoke("one", "family-child", data),
    invoke("two", "family-child", { key: "free" }),
    stepPlanned("beside"),
  );
}

const handlers: Readonly<
  Record<string, (call: WireCall) => ReturnType<typeof child> | ReturnType<typeof parent>>
> = {
  parent,
  child,
  couple,
};

before(async () => {
  server = await PawlServer.start({ flags: ["--retry-interval", "0"] });
  const functions = Object.keys(handlers).map((id) => ({ id, event: `bugs/${id}` }));
  app = await WireApp.start(
    "family",
    functions,
    (call) => handlers[call.functionId]?.(call) ?? null,
  );
  await app.register(server.url);
});

after(async () => {
  for (const gate of held.values()) gate.resolve();
  await server.stop();
  await app.close();
});

/** Starts a parent whose child is held in its first call. Resolves with both runs. */
async function family(fn: "parent" | "couple", key: string) {
  held.set(key, Promise.withResolvers());
  const eventId = await server.api.sendOne({ name: `bugs/${fn}`, data: { key } });
  const call = await eventually("the child is called", () =>
    app.calls.find((each) => each.functionId === "child" && keyOf(each) === key),
  );
  return { eventId, childId: call.runId };
}

test("bug class 9: a cancelled child ends the parent's step with an error that says so", async () => {
  const { eventId, childId } = await family("parent", "child-cancelled");
  assert.equal((await server.api.cancel(childId)).status, 200);
  const [run] = await server.api.ended(eventId);
  assert.equal(run?.status, "Completed", "the function caught the error");
  // proof: `parent` returns the memo
  const { error } = run.output as { error: { name: string; message: string } };
  assert.match(error.message, /cancelled/);
  assert.equal((await server.api.run(childId)).status, "Cancelled");
  held.get("child-cancelled")?.resolve();
});

test("bug class 9: a cancelled parent does not disturb its child, whose end disturbs nobody", async () => {
  const { eventId, childId } = await family("parent", "parent-cancelled");
  const [parentRun] = await server.api.runsOf(eventId);
  assert.equal((await server.api.cancel(parentRun?.run_id ?? "")).status, 200);
  const [ended] = await server.api.ended(eventId);
  assert.equal(ended?.status, "Cancelled");
  const calls = app.calls.filter(({ functionId }) => functionId === "parent").length;
  held.get("parent-cancelled")?.resolve();
  const childRun = await eventually("the child ends", async () => {
    const run = await server.api.run(childId);
    return run.ended_at !== null && run;
  });
  assert.equal(childRun.status, "Completed");
  assert.deepEqual(await server.api.run(ended.run_id), ended);
  assert.equal(app.calls.filter(({ functionId }) => functionId === "parent").length, calls);
});

test("bug class 9: one of two children is cancelled; the other and the step beside them count", async () => {
  const { eventId, childId } = await family("couple", "one-of-two");
  await server.api.cancel(childId);
  const [run] = await server.api.ended(eventId);
  assert.equal(run?.status, "Completed");
  // proof: `couple` returns the three memos
  const [one, two, beside] = run.output as [{ error?: object }, unknown, unknown];
  assert.ok(one.error !== undefined);
  assert.deepEqual([two, beside], [{ data: "done" }, { data: 1 }]);
  held.get("one-of-two")?.resolve();
});

test("bug class 9: both are cancelled at the same time, 20 families", async () => {
  const families = await Promise.all(
    Array.from({ length: 20 }, (_, n) => family("parent", `both-${String(n)}`)),
  );
  await Promise.all(
    families.map(async ({ eventId, childId }, n) => {
      const [run] = await server.api.runsOf(eventId);
      const both = [childId, run?.run_id ?? ""];
      await Promise.all(
        (n % 2 === 0 ? both : both.toReversed()).map((id) => server.api.cancel(id)),
      );
    }),
  );
  for (const [n, { eventId, childId }] of families.entries()) {
    const [run] = await server.api.ended(eventId);
    // Whoever was first: a parent that saw its child end may have completed.
    assert.ok(run?.status === "Cancelled" || run?.status === "Completed", run?.status);
    assert.equal((await server.api.run(childId)).status, "Cancelled");
    held.get(`both-${String(n)}`)?.resolve();
  }
});

test("bug class 9: nothing waits for anybody any more", async () => {
  assert.equal((await server.stop()).code, 0);
  const { code, unfinished, output } = await examine(server.dir);
  assert.deepEqual([code, unfinished], [0, 0], output);
});
