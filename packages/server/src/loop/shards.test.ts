import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Reply } from "@pawl/engine/decision";
import { shardCount, shardOf } from "@pawl/engine/shard";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ServerError } from "../server-error.ts";
import { Cluster } from "./testing/cluster.ts";
import { returned } from "./testing/fixtures.ts";
import { travel } from "./testing/travel.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

const shards = Array.from({ length: shardCount }, (_, shard) => shard);
const alone = shards.map(() => 0);
const halves = shards.map((shard) => shard % 2);

test("two loops with half of the shards each come to what one comes to", async () => {
  const one = await travel(createMemoryStore(), { owners: alone });
  const two = await travel(createMemoryStore(), { owners: halves });
  assert.deepEqual(two.outcome, one.outcome);
  const count = (beginning: string): number =>
    one.outcome.filter((line) => line.startsWith(beginning)).length;
  assert.deepEqual(
    ["id-tree completed", "id-one completed", "id-audit completed", "id-fresh skipped"].map(count),
    [28, 4, 4, 3],
  );
  assert.equal(two.oneAtOnceMax, 1, "the limit of a function has one owner");
  assert.equal(two.mailsLeft, 0);
  assert.ok(two.mailsPut > 20, `${two.mailsPut} messages crossed`);
});

test("mail that is delivered again and again is decided once", async () => {
  const one = await travel(createMemoryStore(), { owners: alone });
  for (const tellsOfMail of [false, true]) {
    const options = { owners: halves, repeatsMail: true, tellsOfMail };
    const two = await travel(createMemoryStore(), options);
    assert.deepEqual([two.outcome, two.mailsLeft], [one.outcome, 0]);
  }
});

test("a server dies behind any of its commits, and what it sent and what it was sent arrives", async () => {
  const one = await travel(createMemoryStore(), { owners: alone });
  let deaths = 0;
  for (let commits = 1; commits < 40; commits++) {
    const two = await travel(createMemoryStore(), {
      owners: halves,
      deaths: [commits, commits % 3 === 0 ? commits + 5 : null],
    });
    assert.deepEqual([two.outcome, two.mailsLeft], [one.outcome, 0], `dead after ${commits}`);
    deaths += two.deaths;
  }
  assert.ok(deaths > 30, `${deaths} deaths`);
});

test("whoever owns what, the outcome is that of one owner", async () => {
  const outcomes = new Map<number, readonly string[]>();
  for (const events of [1, 2, 3]) {
    const { outcome } = await travel(createMemoryStore(), { owners: alone, events });
    outcomes.set(events, outcome);
  }
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        owners: fc.array(fc.nat(3), { minLength: shardCount, maxLength: shardCount }),
        events: fc.constantFrom(1, 2, 3),
        deaths: fc.array(fc.option(fc.integer({ min: 1, max: 30 })), { maxLength: 4 }),
        repeatsMail: fc.boolean(),
        tellsOfMail: fc.boolean(),
      }),
      async (options) => {
        const { outcome, mailsLeft } = await travel(createMemoryStore(), options);
        assert.deepEqual([outcome, mailsLeft], [outcomes.get(options.events), 0]);
      },
    ),
    { numRuns: 25 },
  );
});

test("a command from outside for a shard of another server is refused, and one for its own is not", async () => {
  const store = createMemoryStore();
  const fence = await store.open();
  const cluster = new Cluster(store, fence, new VirtualClock(), {
    owners: halves,
    script: () => returned(1),
  });
  await cluster.start([]);
  const runIds = ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "00000000000000000000000000"];
  assert.deepEqual(
    runIds.map((runId) => shardOf(runId) % 2),
    [0, 1],
  );
  for (const server of [0, 1]) {
    const cancel = (runId = ""): Promise<Reply> =>
      cluster.runtime(server).submit({ type: "run.cancelled", runId, reason: "r" });
    const reply = await cancel(runIds[server]);
    assert.ok(!reply.ok && reply.code === "run_not_found");
    await assert.rejects(
      cancel(runIds[1 - server]),
      (error) => error instanceof ServerError && error.code === "shard_elsewhere",
    );
  }
  await cluster.stop();
  await store.close();
});
