// What decides whether and when a run starts: throttle, rate limit, idempotency, priority, singleton.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import { barrier, sorted } from "../scenarios/helpers.ts";
import { statuses, type FlowScenario } from "./flow-scenario.ts";

/** Starts at once and starts by key. */
export const throttleKeyed: FlowScenario = {
  says: "throttle: a key has a rate of its own, and a burst starts at once",
  define: ({ fn, note }) => [
    fn(
      { id: "rated", throttle: { limit: 1, period: "1h", key: "event.data.user" } },
      { event: "flow/rated" },
      ({ event: { data } }) => note("rated", data["user"]),
    ),
    fn(
      { id: "burst", throttle: { limit: 1, burst: 3, period: "1h" } },
      { event: "flow/burst" },
      () => note("burst"),
    ),
  ],
  check: async ({ api, notes }) => {
    for (const user of ["a", "a", "b"]) await api.send({ name: "flow/rated", data: { user } });
    for (let sent = 0; sent < 5; sent += 1) await api.send({ name: "flow/burst", data: {} });
    await eventually("a and b started", async () => (await notes("rated")).length >= 2);
    await eventually("the burst started", async () => (await notes("burst")).length >= 3);
    assert.deepEqual(sorted(await notes("rated")), ["a", "b"]);
    assert.equal((await notes("burst")).length, 3);
  },
};

/** Dropped by key, with the reason. */
export const rateLimitKeyed: FlowScenario = {
  says: "rate limit: a key has a limit of its own, and what is dropped says why",
  define: ({ fn }) => [
    fn(
      { id: "limited-keyed", rateLimit: { limit: 1, period: "1h", key: "event.data.user" } },
      { event: "flow/limited-keyed" },
      () => "ran",
    ),
  ],
  check: async ({ api, runsOf }) => {
    const runs = await runsOf(
      "limited-keyed",
      ["a", "a", "b"].map((user) => ({ user })),
    );
    assert.deepEqual(statuses(runs), ["Completed", "Skipped", "Completed"]);
    const runID = runs[1]?.run_id ?? "";
    assert.match((await api.run(runID)).end_reason ?? "", /rate limit/i);
    const query = "query One($runID: String!) { run(runID: $runID) { status } }";
    const { body } = await api.request("POST", "/v0/gql", { query, variables: { runID } });
    assert.deepEqual(body, { data: { run: { status: "SKIPPED" } } });
  },
};

/** Made of several fields. */
export const idempotencyExpression: FlowScenario = {
  says: "idempotency: an expression over several fields, and the event's own id",
  define: ({ fn }) => [
    fn(
      { id: "once-each", idempotency: "event.data.user + '/' + event.data.order" },
      { event: "flow/once-each" },
      () => "ran",
    ),
    fn({ id: "once-by-id" }, { event: "flow/once-by-id" }, () => "ran"),
  ],
  check: async ({ api, runsOf }) => {
    const orders = ["a/1", "a/2", "b/1"].map((pair) => pair.split("/"));
    const datas = orders.map(([user, order]) => ({ user, order }));
    assert.equal((await runsOf("once-each", datas)).length, 3);
    const again = await api.send(datas.map((data) => ({ name: "flow/once-each", data })));
    for (const id of again) assert.deepEqual(await api.runsOf(id), []);
    const event = { name: "flow/once-by-id", id: "the same", data: {} };
    await api.ended(await api.sendOne(event));
    await api.send(event);
    const events = await api.events(event.name);
    assert.ok(events.length > 0, "no event is kept");
    const runs = await Promise.all(events.map(({ internal_id }) => api.runsOf(internal_id)));
    assert.equal(runs.flat().length, 1);
  },
};

/** Who goes ahead. */
export const priorityOrder: FlowScenario = {
  says: "priority: an expression orders the runs of a function that wait",
  define: ({ fn, note }) => [
    fn(
      {
        id: "ordered",
        concurrency: 1,
        priority: { run: "event.data.plan == 'paid' ? event.data.extra : 0" },
      },
      { event: "flow/ordered" },
      ({ event: { data } }) => note("ordered", data["name"]),
    ),
  ],
  check: async ({ api, notes }) => {
    await api.request("POST", "/v1/functions/flow-ordered/pause");
    const ids: string[] = [];
    for (const [name, plan, extra] of [
      ["free", "free", 500],
      ["late", "paid", -300],
      ["soon", "paid", 100],
      ["first", "paid", 300],
      ["free too", "free", 0],
    ])
      ids.push(await api.sendOne({ name: "flow/ordered", data: { name, plan, extra } }));
    await Promise.all(
      ids.map((id) => eventually("its run", async () => (await api.runsOf(id)).length > 0)),
    );
    await api.request("POST", "/v1/functions/flow-ordered/resume");
    await eventually("all ran", async () => (await notes("ordered")).length === 5);
    assert.deepEqual(await notes("ordered"), ["first", "soon", "free", "free too", "late"]);
  },
};

/** Keys of singletons. */
export const singletonKeyed: FlowScenario = {
  says: "singleton: each key has one, and the key false has none",
  define: ({ fn }) => {
    const meet = barrier(4);
    return [
      fn(
        { id: "single-keyed", singleton: { mode: "skip", key: "event.data.lock" } },
        { event: "flow/single-keyed" },
        () => meet(),
      ),
    ];
  },
  check: async ({ runsOf, api }) => {
    // Those that start wait for each other, so that the second "a" always comes too early.
    const locks = ["a", "a", "b", false, false];
    const runs = await runsOf(
      "single-keyed",
      locks.map((lock) => ({ lock })),
    );
    const expected = ["Completed", "Skipped", "Completed", "Completed", "Completed"];
    assert.deepEqual(statuses(runs), expected);
    assert.match((await api.run(runs[1]?.run_id ?? "")).end_reason ?? "", /singleton/i);
  },
};
