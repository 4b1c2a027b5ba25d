// Forgetting: what the store names goes in one decision, but for what is in use again meanwhile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toJsonText } from "@pawl/protocol/json-text";
import type { RetentionDue } from "../commands.ts";
import { decide } from "../decide.ts";
import type { Found } from "../needs.ts";
import { requirements } from "../requirements.ts";
import { defaultSettings } from "../settings.ts";
import { HotState } from "../state/hot-state.ts";

const limit = 3;
const bound = { of: "failed", before: 7, spareFrom: 9, countMax: 1, bytesMax: null } as const;
const command: RetentionDue = {
  type: "retention.due",
  bounds: [bound],
  limit,
  limitBytes: 700,
  at: 10,
  seed: [1, 2, 3, 4],
};

function answered(
  expired: Partial<Omit<Extract<Found, { runIds: readonly string[] }>, "need">>,
  keys: readonly string[] = [],
  hasMore = false,
): HotState {
  const state = new HotState(defaultSettings);
  const answers = requirements(state, command).map((need): Found => {
    if (need.kind === "expired") {
      const nothing = { runIds: [], largeRunIds: [], eventIds: [], retiredId: null };
      return { need, ...nothing, hasMore, ...expired };
    }
    if (need.kind === "expiredKeys") return { need, keys };
    if (need.kind === "expiredRates") return { need, keys: [] };
    throw new Error(`${need.kind} is not needed`);
  });
  state.absorb(answers);
  return state;
}

function removed(state: HotState) {
  const { changes, reply } = decide(state, command);
  assert.ok(reply.ok && reply.value.type === "removed");
  return { types: changes.map(({ type }) => type), value: reply.value };
}

test("what the store names goes, and the reply says how much it was", () => {
  const { types, value } = removed(answered({ runIds: ["r1", "r2"], eventIds: ["e1"] }, ["k"]));
  assert.deepEqual(types, ["run.delete", "run.delete", "event.delete", "idempotency.delete"]);
  const counts = { runs: 2, events: 1, keys: 1, rates: 0 };
  assert.deepEqual(value, { type: "removed", ...counts, hasMore: true });
});

test("a run larger than a step goes out of sight first, and then in pieces before other runs", () => {
  const retired = removed(answered({ largeRunIds: ["r1"] }));
  assert.deepEqual(retired.types, ["run.retire"]);
  assert.deepEqual([retired.value.runs, retired.value.hasMore], [1, true]);
  const state = answered({ retiredId: "r1", runIds: ["r2"], largeRunIds: ["r3"], eventIds: ["e"] });
  const { changes, reply } = decide(state, command);
  assert.deepEqual(changes, [
    { type: "parts.delete", runId: "r1", records: limit, bytes: 700 },
    { type: "event.delete", eventId: "e" },
  ]);
  assert.ok(reply.ok && reply.value.type === "removed" && reply.value.hasMore);
});

test("there may be more after a run, whose events are free now, and after any full page", () => {
  assert.equal(removed(answered({})).value.hasMore, false);
  assert.equal(removed(answered({ eventIds: ["e1"] })).value.hasMore, false);
  assert.equal(removed(answered({ runIds: ["r1"] })).value.hasMore, true);
  assert.equal(removed(answered({}, ["k1", "k2", "k3"])).value.hasMore, true);
  assert.equal(removed(answered({}, [], true)).value.hasMore, true);
});

test("an event of which a write is not committed yet stays", () => {
  const state = answered({ eventIds: ["e1", "e2"] });
  const event = {
    id: "e2",
    name: "paid",
    externalId: null,
    ts: 1,
    receivedAt: 1,
    data: toJsonText({}),
    user: null,
    version: null,
    meta: null,
  };
  state.apply({ type: "event.put", event, keys: [] });
  assert.equal(removed(state).value.events, 1);
});

test("a run whose deletion is not committed yet is gone, whatever the store still says", () => {
  for (const type of ["run.delete", "run.retire"] as const) {
    const state = new HotState(defaultSettings);
    const need = { kind: "run", runId: "r" } as const;
    state.begin(5, 4);
    state.apply({ type, runId: "r" });
    state.begin(6, 4);
    assert.ok(state.has(need), "it need not be asked for");
    assert.equal(state.run("r"), undefined);
    state.begin(7, 5);
    assert.ok(!state.has(need), "the store knows");
  }
});
