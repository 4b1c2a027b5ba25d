// Spans of user code: kept once each, within the limits of a run, whether or not it has ended.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toJsonText } from "@pawl/protocol/json-text";
import { World } from "../testing/world.ts";
import { userSpanBytes, type UserSpan } from "../user-spans.ts";

function span(runId: string, n: number, chars = 0): UserSpan {
  return {
    runId,
    id: n.toString(16).padStart(16, "0"),
    parentId: null,
    traceId: "1".padStart(32, "0"),
    stepId: null,
    stepSpanId: null,
    attempt: null,
    call: null,
    name: `span ${n}`,
    kind: "internal",
    failed: false,
    startedUs: 1,
    endedUs: 2,
    details: toJsonText({ attributes: { text: "x".repeat(chars) } }),
  };
}

function started(settings = {}): { world: World; runId: string } {
  const world = new World(settings);
  world.sync("app", [{ slug: "fn" }]);
  world.send("fn");
  const runId = world.runIds()[0] ?? "";
  return { world, runId };
}

function send(world: World, runId: string, spans: readonly UserSpan[]) {
  const reply = world.do({ type: "spans.received", runId, spans });
  assert.ok(reply.ok && reply.value.type === "spans", JSON.stringify(reply));
  const { taken, repeated, refused, problem } = reply.value;
  return { taken, repeated, refused, problem };
}

function kept(world: World): number {
  return world.changes.reduce(
    (sum, change) => sum + (change.type === "userSpans.put" ? change.spans.length : 0),
    0,
  );
}

test("a span that comes again changes nothing, in one request or in several", () => {
  const { world, runId } = started();
  const [one, two] = [span(runId, 1), span(runId, 2)];
  const nothing = { refused: 0, problem: null };
  assert.deepEqual(send(world, runId, [one, one]), { taken: 1, repeated: 1, ...nothing });
  assert.deepEqual(send(world, runId, [two, one]), { taken: 1, repeated: 1, ...nothing });
  assert.deepEqual(send(world, runId, [two]), { taken: 0, repeated: 1, ...nothing });
  assert.equal(kept(world), 2);
});

test("a run that has ended still takes spans; an unknown one does not", () => {
  const { world, runId } = started();
  world.complete(runId);
  const before = world.changes.length;
  assert.equal(send(world, runId, [span(runId, 1)]).taken, 1);
  assert.deepEqual(
    world.changes.slice(before).map(({ type }) => type),
    ["userSpans.put"],
  );
  const reply = world.do({ type: "spans.received", runId: "gone", spans: [span("gone", 1)] });
  assert.equal(reply.ok ? null : reply.code, "run_not_found");
});

test("beyond a limit spans are refused, and the limit, its value and its setting named", () => {
  const { world, runId } = started({ userSpansPerRunMax: 2 });
  const all = [1, 2, 3, 4].map((n) => span(runId, n));
  const many = send(world, runId, all);
  assert.deepEqual([many.taken, many.refused], [2, 2]);
  assert.match(many.problem ?? "", /2 spans, the limit \(setting userSpansPerRunMax\)/);
  assert.deepEqual(send(world, runId, all.slice(0, 2)).repeated, 2);

  const other = started({ userSpanBytesPerRunMax: 1_000 });
  const large = send(other.world, other.runId, [span(other.runId, 1, 900), span(other.runId, 2)]);
  assert.deepEqual([large.taken, large.refused], [1, 1]);
  assert.match(large.problem ?? "", /the limit is 1000 \(setting userSpanBytesPerRunMax\)/);
});

test("however spans come, a run keeps each once and never more than its limits", () => {
  const request = fc.array(fc.tuple(fc.nat(9), fc.nat(300)), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 6 }), (requests) => {
      const userSpanBytesPerRunMax = 2_000;
      const { world, runId } = started({ userSpansPerRunMax: 5, userSpanBytesPerRunMax });
      for (const spans of requests) {
        const result = send(
          world,
          runId,
          spans.map(([n, chars]) => span(runId, n, chars)),
        );
        assert.equal(result.taken + result.repeated + result.refused, spans.length);
        assert.equal(result.problem === null, result.refused === 0);
      }
      const all = world.changes.flatMap((change) =>
        change.type === "userSpans.put" ? change.spans : [],
      );
      assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
      assert.ok(all.length <= 5);
      const bytes = all.reduce((sum, one) => sum + userSpanBytes(one), 0);
      assert.ok(bytes <= userSpanBytesPerRunMax);
      assert.deepEqual(
        world.state.has({ kind: "userSpans", runId }) ? world.state.userSpans(runId).bytes : 0,
        bytes,
      );
    }),
    { numRuns: 50 },
  );
});
