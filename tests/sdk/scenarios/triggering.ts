// Which events start which functions, when, and how to look at both.
import assert from "node:assert/strict";
import type { Scenario } from "../scenario.ts";

/** Names with `*`, several triggers, `if`. */
export const triggers: Scenario = {
  says: "wildcards, expressions and several triggers start the right functions",
  define: ({ fn }) => [
    fn({ id: "any-below" }, { event: "triggers/a/*" }, () => "any-below"),
    fn({ id: "exact" }, { event: "triggers/a/one" }, () => "exact"),
    fn(
      { id: "large" },
      { event: "triggers/a/one", if: "event.data.total >= 100 && event.data.kind == 'x'" },
      () => "large",
    ),
    fn({ id: "several" }, [{ event: "triggers/a/two" }, { event: "triggers/b" }], ({ event }) => [
      "several",
      event.name,
    ]),
    fn(
      { id: "once-for-two" },
      [{ event: "triggers/b" }, { event: "triggers/b", if: "event.data.total > 1" }],
      () => "once",
    ),
  ],
  check: async ({ api }) => {
    const outputs = async (
      name: string,
      data: Readonly<Record<string, unknown>>,
      count: number,
    ): Promise<string[]> => {
      const runs = await api.ended(await api.sendOne({ name, data }), count);
      return runs.map(({ output }) => JSON.stringify(output)).toSorted();
    };
    assert.deepEqual(await outputs("triggers/a/one", { total: 100, kind: "x" }, 3), [
      '"any-below"',
      '"exact"',
      '"large"',
    ]);
    assert.deepEqual(await outputs("triggers/a/one", { total: 99, kind: "x" }, 2), [
      '"any-below"',
      '"exact"',
    ]);
    assert.deepEqual(await outputs("triggers/a/one", {}, 2), ['"any-below"', '"exact"']);
    assert.deepEqual(await outputs("triggers/a/two", {}, 2), [
      '"any-below"',
      '["several","triggers/a/two"]',
    ]);
    assert.deepEqual(await outputs("triggers/b", { total: 2 }, 2), [
      '"once"',
      '["several","triggers/b"]',
    ]);
  },
};

/** The same event twice. */
export const idempotency: Scenario = {
  says: "a second event with the same id is stored but starts nothing",
  define: ({ fn, note }) => [
    fn({ id: "idempotency" }, { event: "idempotency/go" }, ({ event }) => {
      note("idempotency", event.data["n"]);
      return event.id;
    }),
  ],
  check: async ({ api, notes, flavour }) => {
    const id = `order-${flavour}`;
    const event = (n: number) => ({ name: "idempotency/go", id, data: { n } });
    const first = await api.sendOne(event(1));
    const [run] = await api.ended(first);
    assert.equal(run?.output, id);
    const [second = "", third = ""] = await api.send([event(2), event(3)]);
    const [marker = ""] = await api.send({ name: "idempotency/go", data: { n: "marker" } });
    await api.ended(marker);
    assert.deepEqual(await api.runsOf(second), []);
    assert.deepEqual(await api.runsOf(third), []);
    assert.deepEqual(await notes("idempotency"), [1, "marker"]);
    assert.equal((await api.events("idempotency/go")).filter((each) => each.id === id).length, 3);
  },
};

/** An event for later. */
export const futureStart: Scenario = {
  says: "an event with a future ts starts its function then",
  define: ({ fn }) => [
    fn({ id: "future-start" }, { event: "future/go" }, ({ event }) => ({
      ts: event.ts,
      now: Date.now(),
    })),
  ],
  check: async ({ api }) => {
    const ts = Date.now() + 2_000;
    const run = await api.runOf({ name: "future/go", ts });
    const output = run.output as { ts: number; now: number }; // proof: what the function returns
    assert.equal(output.ts, ts);
    assert.ok(output.now >= ts - 20, `started ${String(ts - output.now)} ms early`);
  },
};

/** What the API shows of events and runs. */
export const inspecting: Scenario = {
  says: "events and runs are found through the API",
  define: ({ fn }) => [
    fn({ id: "inspecting" }, { event: "inspecting/go" }, ({ event }) => event.data["n"]),
  ],
  check: async ({ api }) => {
    const ids = await api.send([1, 2, 3].map((n) => ({ name: "inspecting/go", data: { n } })));
    await Promise.all(ids.map((id) => api.ended(id)));
    const listed = await api.events("inspecting/go");
    assert.deepEqual(
      listed.map(({ internal_id, data }) => [internal_id, data]),
      ids.map((id, i) => [id, { n: i + 1 }]).toReversed(),
    );
    const one = await api.request("GET", `/v1/events/${String(ids[1])}`);
    assert.equal(one.status, 200);
    assert.deepEqual((one.body as { data: { data: unknown } }).data.data, { n: 2 }); // proof: protocol.md 8.2
    const [run] = await api.runsOf(ids[2] ?? "");
    assert.equal(run?.output, 3);
    assert.equal(run.event_id, ids[2]);
    assert.equal((await api.run(run.run_id)).status, "Completed");
    assert.equal((await api.request("GET", "/v1/events/01AAAAAAAAAAAAAAAAAAAAAAAA")).status, 404);
    assert.equal((await api.request("GET", "/v1/runs/01AAAAAAAAAAAAAAAAAAAAAAAA")).status, 404);
  },
};
