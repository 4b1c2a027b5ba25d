// Sessions of events: what a run has of them, and what goes on to those that it starts (protocol.md 5.7).
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Scenario } from "../scenario.ts";

const only = ["js4", "js4-no-checkpoint"] as const;

/** Every way in which a run starts another. */
export const sessions: Scenario = {
  says: "sessions go on through sendEvent, invoke and defer; own ones win and null cuts",
  only,
  define: (kit) => {
    const { deferring, fn, note } = kit;
    assert.ok(deferring !== null);
    const child = fn({ id: "session-child" }, { event: "sessions/child" }, (context) => {
      note("sessions", [context.event.data["by"], context.sessions ?? {}]);
      return context.sessions ?? {};
    });
    const later = deferring.deferred({ id: "session-later" }, (context) => {
      note("sessions", ["defer", context.sessions ?? {}]);
    });
    const main = fn({ id: "sessions" }, { event: "sessions/go" }, async (context) => {
      const { step } = context;
      const own = { sessions: { chat: "own", user: null } };
      await step.sendEvent("send", [
        { name: "sessions/child", data: { by: "send" } },
        { name: "sessions/child", data: { by: "send own" }, meta: own },
        { name: "sessions/child", data: { by: "send none" }, meta: { sessions: null } },
      ]);
      await step.invoke("invoke", { function: child, data: { by: "invoke" } });
      await step.invoke("invoke own", { function: child, data: { by: "invoke own" }, meta: own });
      deferring.defer(context, "later", { function: later, meta: own });
      return context.sessions ?? {};
    });
    return [child, later, main];
  },
  check: async ({ api, notes }) => {
    const meta = { sessions: { chat: "c1", user: 7 } };
    const [run] = await api.ended(await api.sendOne({ name: "sessions/go", meta }));
    const inherited = { chat: "c1", user: "7" };
    assert.deepEqual(run?.output, inherited);
    const seen = await eventually("all children ran", async () => {
      const all = await notes("sessions");
      const by = Object.fromEntries(all as [string, object][]); // proof: what the functions note
      return Object.keys(by).length >= 6 && by;
    });
    assert.deepEqual(seen, {
      send: inherited,
      "send own": { chat: "own" },
      "send none": {},
      invoke: inherited,
      "invoke own": { chat: "own" },
      defer: { chat: "own" },
    });
  },
};

/** A batch has the sessions that all its events have. */
export const sessionsOfBatches: Scenario = {
  says: "a batch has the sessions that all of its events share",
  only,
  define: ({ fn }) => [
    fn(
      { id: "session-batch", batchEvents: { maxSize: 2, timeout: "20s" } },
      { event: "sessions/batch" },
      ({ sessions: shared }) => shared ?? {},
    ),
  ],
  check: async ({ api }) => {
    const event = (session: object) => ({ name: "sessions/batch", meta: { sessions: session } });
    const ids = await api.send([
      event({ chat: "c1", user: "u1" }),
      event({ chat: "c2", user: "u1", org: "o" }),
    ]);
    const [run] = await api.ended(ids[0] ?? "");
    assert.deepEqual(run?.output, { user: "u1" });
  },
};

/** What is wrong with sessions is said to who sends them. */
export const sessionsRefused: Scenario = {
  says: "an event with sessions that cannot be is refused, naming them",
  only: ["js4"],
  define: () => [],
  check: async ({ api }) => {
    const six = Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`k${String(n)}`, "id"]));
    const meta = { sessions: six };
    const answer = await api.request("POST", "/e/test", { name: "sessions/refused", meta });
    assert.equal(answer.status, 400);
    assert.match(JSON.stringify(answer.body), /meta\.sessions must be at most 5 sessions/);
  },
};
