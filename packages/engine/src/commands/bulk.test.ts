// Bulk actions as records: what was asked for, and how far it has come.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BulkProgressed } from "../bulk-commands.ts";
import type { BulkRecord } from "../bulk-records.ts";
import { World } from "../testing/world.ts";

const id = "01BULK00000000000000000000";
const selection = {
  functionIds: null,
  appIds: null,
  statuses: ["failed"],
  from: null,
  until: null,
  expression: null,
} as const;

function create(world: World): BulkRecord {
  return bulkOf(world.do({ type: "bulk.created", bulk: { id, kind: "rerun", selection } }));
}

function bulkOf(reply: ReturnType<World["do"]>): BulkRecord {
  assert.ok(reply.ok && reply.value.type === "bulk", JSON.stringify(reply));
  return reply.value.bulk;
}

function progress(world: World, step: BulkProgressed["progress"]) {
  return world.do({ type: "bulk.progressed", bulkId: id, progress: step });
}

const found = {
  step: "found",
  behind: null,
  cursor: "R2",
  examined: 3,
  runIds: ["R1", "R2"],
} as const;
const done = { step: "done", cursor: "R2", done: 1, failed: 1, problem: "no" } as const;

test("pages are found, then done, and counted; the end is kept", () => {
  const world = new World();
  create(world);
  const page = bulkOf(progress(world, found));
  assert.deepEqual(
    [page.cursor, page.underWay, page.examined, page.matched],
    ["R2", ["R1", "R2"], 3, 2],
  );
  const after = bulkOf(progress(world, done));
  assert.deepEqual([after.underWay, after.done, after.failed, after.problem], [[], 1, 1, "no"]);
  world.at += 5;
  const ended = bulkOf(progress(world, { step: "ended" }));
  assert.deepEqual([ended.state, ended.endedAt], ["completed", world.at]);
  const late = progress(world, found);
  assert.ok(!late.ok && late.code === "bulk_ended");
});

test("news that come again are not counted again", () => {
  const world = new World();
  create(world);
  for (const news of [found, found]) assert.equal(bulkOf(progress(world, news)).matched, 2);
  assert.equal(bulkOf(progress(world, { ...found, behind: "R2" })).matched, 2);
  assert.equal(bulkOf(progress(world, { step: "ended" })).state, "active");
  for (const news of [done, done]) assert.equal(bulkOf(progress(world, news)).done, 1);
  assert.equal(bulkOf(progress(world, found)).matched, 2);
});

test("creating it again changes nothing", () => {
  const world = new World();
  create(world);
  progress(world, found);
  assert.equal(create(world).matched, 2);
});

test("stopped in the middle of a page: that page is counted, no other is begun", () => {
  const world = new World();
  create(world);
  progress(world, found);
  const stopped = bulkOf(world.do({ type: "bulk.stopped", bulkId: id }));
  assert.deepEqual([stopped.state, stopped.endedAt], ["stopped", world.at]);
  assert.deepEqual(bulkOf(progress(world, { ...found, behind: "R2", cursor: "R9" })).cursor, "R2");
  assert.equal(bulkOf(progress(world, done)).done, 1);
  const again = world.do({ type: "bulk.stopped", bulkId: id });
  assert.ok(!again.ok && again.code === "bulk_ended");
});

test("a forgotten one is not found", () => {
  const world = new World();
  create(world);
  assert.ok(world.do({ type: "bulk.removed", bulkId: id }).ok);
  for (const reply of [
    progress(world, found),
    world.do({ type: "bulk.stopped", bulkId: id }),
    world.do({ type: "bulk.removed", bulkId: id }),
  ]) {
    assert.ok(!reply.ok && reply.code === "bulk_not_found");
  }
});
