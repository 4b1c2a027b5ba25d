// Metadata of runs: targets, ops, limits; with steps, in one decision; never at the cost of a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toJsonText } from "@pawl/protocol/json-text";
import type { MetadataOp, MetadataScope } from "@pawl/protocol/metadata-wire";
import type { Opcode } from "@pawl/protocol/opcode";
import { hashStepId } from "@pawl/protocol/step-id";
import type { Change } from "../changes.ts";
import type { MetadataTarget, TargetedUpdate } from "../metadata-records.ts";
import { completes, erred, failed, ran, sleeps } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

const run: MetadataTarget = { stepId: null, stepIndex: 0, attempt: null, spanId: null };
const charge = hashStepId("charge", 0);

function started(settings = {}): { world: World; id: string } {
  const world = new World(settings);
  world.sync("app", [{ slug: "fn" }]);
  const [id] = world.send("fn");
  assert.ok(id !== undefined);
  return { world, id };
}

function update(
  values: object,
  target: Partial<MetadataTarget> = {},
  op: MetadataOp = "merge",
  kind = "userland.k",
): TargetedUpdate {
  return { kind, op, values: toJsonText(values), target: { ...run, ...target } };
}

/** Notes something; returns "" or the code of the refusal. */
function note(world: World, runId: string, ...updates: readonly TargetedUpdate[]): string {
  const reply = world.do({ type: "metadata.received", runId, updates });
  return reply.ok ? "" : reply.code;
}

/** What is noted, from the changes alone: `scope/step/attempt/span/kind` and values. */
function noted(world: World): Record<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const change of world.changes) {
    if (change.type === "metadata.put")
      entries.set(nameOf(change.metadata), JSON.parse(change.metadata.values));
    else if (change.type === "metadata.delete") entries.delete(nameOf(change.place));
  }
  return Object.fromEntries(entries);
}

function nameOf(place: Extract<Change, { type: "metadata.delete" }>["place"]): string {
  const { scope, stepId, attempt, spanId, kind } = place;
  return [scope, stepId, attempt, spanId, kind].filter((part) => part !== null).join("/");
}

function bringing(
  opcode: Opcode,
  values: object,
  scope: MetadataScope = "step",
  op: MetadataOp = "set",
): Opcode {
  const updates = [{ kind: "userland.k", scope, op, values: toJsonText(values) }];
  return { ...opcode, metadata: { updates, problem: null } };
}

test("ops: merge, set, add and delete, one entry for each target and kind", () => {
  const { world, id } = started();
  assert.equal(note(world, id, update({ a: 1, b: { c: 2 } })), "");
  assert.equal(note(world, id, update({ b: 3 })), "");
  assert.deepEqual(noted(world), { "run/userland.k": { a: 1, b: 3 } });
  note(world, id, update({ a: 0.5, fresh: 2 }, {}, "add"));
  assert.deepEqual(noted(world), { "run/userland.k": { a: 1.5, b: 3, fresh: 2 } });
  note(world, id, update({ a: null, absent: null }, {}, "delete"));
  assert.deepEqual(noted(world), { "run/userland.k": { b: 3, fresh: 2 } });
  note(
    world,
    id,
    update({ only: true }, {}, "set"),
    update({ x: 1 }, {}, "merge", "inngest.score"),
  );
  assert.deepEqual(noted(world), {
    "run/userland.k": { only: true },
    "run/inngest.score": { x: 1 },
  });
  note(world, id, update({ only: null }, {}, "delete"));
  assert.deepEqual(noted(world), { "run/inngest.score": { x: 1 } });
});

test("what cannot be added to is refused, and with it the whole request", () => {
  const { world, id } = started();
  note(world, id, update({ text: "a", n: 1e308 }));
  for (const values of [{ n: "1" }, { text: 1 }, { n: 1e308 }, { fresh: null }]) {
    const before = noted(world);
    assert.equal(note(world, id, update({ m: 1 }), update(values, {}, "add")), "metadata_invalid");
    assert.deepEqual(noted(world), before);
  }
});

test("targets: steps by either id, attempts up to the latest, spans of anything", () => {
  const { world, id } = started();
  world.ops(id, "step", [ran(charge), sleeps("nap", 5_000)]);
  const code = (target: Partial<MetadataTarget>) => note(world, id, update({}, target, "set"));
  assert.equal(code({ stepId: "charge" }), "");
  assert.equal(code({ stepId: charge }), "");
  assert.equal(code({ stepId: "nap" }), "", "open steps, too");
  assert.equal(code({ stepId: "charge", attempt: 0 }), "");
  assert.equal(code({ stepId: "charge", attempt: -1, spanId: "s1" }), "");
  assert.equal(code({ spanId: "s2" }), "");
  assert.deepEqual(Object.keys(noted(world)), [
    `step/${charge}/userland.k`,
    "step/nap/userland.k",
    `step_attempt/${charge}/0/userland.k`,
    `extended_trace/${charge}/0/s1/userland.k`,
    "extended_trace/s2/userland.k",
  ]);
  for (const target of [
    { stepId: "other" },
    { stepId: "charge", stepIndex: 1 },
    { stepId: "charge", attempt: 1 },
    { stepId: "step" },
  ]) {
    assert.equal(code(target), "metadata_target_not_found", JSON.stringify(target));
  }
  assert.equal(note(world, "none", update({})), "run_not_found");
});

test("a run that has ended takes metadata, and stays as it is", () => {
  const { world, id } = started();
  world.complete(id, 1);
  const from = world.changes.length;
  assert.equal(note(world, id, update({ good: { value: true } })), "");
  assert.deepEqual(
    world.changes.slice(from).map(({ type }) => type),
    ["metadata.put"],
  );
});

test("limits name themselves; what shrinks is taken when a limit was lowered", () => {
  const { world, id } = started({ runMetadataCharsMax: 60, runMetadataMax: 2 });
  note(world, id, update({ a: "x".repeat(30) }));
  const large = world.do({
    type: "metadata.received",
    runId: id,
    updates: [update({ b: "y".repeat(30) })],
  });
  assert.ok(!large.ok && large.code === "metadata_too_large");
  assert.match(large.message, /limit is 60 \(setting runMetadataCharsMax\)/);
  assert.equal(note(world, id, update({}, {}, "set", "2")), "");
  const many = world.do({
    type: "metadata.received",
    runId: id,
    updates: [update({}, {}, "set", "3")],
  });
  assert.ok(!many.ok && many.code === "metadata_too_large");
  assert.match(many.message, /limit is 2 \(setting runMetadataMax\)/);
  assert.equal(note(world, id, update({ a: "x".repeat(20) })), "");
});

test("a step's metadata is written in the decision that records it, under its attempt", () => {
  const { world, id } = started();
  world.ops(id, "step", [bringing(erred("a"), { n: 1 }, "step_attempt")]);
  world.wake(id, "step", world.at + 3_600_000);
  const from = world.changes.length;
  world.ops(id, "step", [
    {
      ...ran("a"),
      metadata: {
        updates: [
          ...(bringing(ran("a"), { n: 2 }, "step_attempt").metadata?.updates ?? []),
          ...(bringing(ran("a"), { n: 3 }).metadata?.updates ?? []),
          ...(bringing(ran("a"), { n: 4 }, "run").metadata?.updates ?? []),
        ],
        problem: null,
      },
    },
  ]);
  const types = world.changes.slice(from).map(({ type }) => type);
  assert.ok(types.includes("step.put") && types.includes("metadata.put"));
  assert.deepEqual(noted(world), {
    "step_attempt/a/0/userland.k": { n: 1 },
    "step_attempt/a/1/userland.k": { n: 2 },
    "step/a/userland.k": { n: 3 },
    "run/userland.k": { n: 4 },
  });
});

test("a step that comes twice brings its metadata once", () => {
  const { world, id } = started();
  const opcodes = [bringing(ran("a"), { n: 1 }, "step", "add")];
  const checkpoint = () =>
    world.do({ type: "checkpoint.received", runId: id, jobId: null, requestId: null, opcodes });
  assert.ok(checkpoint().ok);
  assert.ok(checkpoint().ok);
  world.ops(id, "step", opcodes);
  assert.deepEqual(noted(world), { "step/a/userland.k": { n: 1 } });
});

test("checkpoints: failed steps and the function's result bring metadata, too", () => {
  const { world, id } = started();
  const opcodes = [bringing(failed("a"), { n: 1 }), bringing(completes(1), { n: 2 })];
  world.do({ type: "checkpoint.received", runId: id, jobId: null, requestId: null, opcodes });
  assert.equal(world.run(id).run.status, "completed");
  assert.deepEqual(noted(world), {
    "step/a/userland.k": { n: 1 },
    "run/userland.k": { n: 2 },
  });
});

test("too much metadata is dropped with a warning, and the step succeeds", () => {
  const { world, id } = started({ runMetadataCharsMax: 1_000 });
  world.ops(id, "step", [
    bringing(ran("a"), { text: "x".repeat(1_000) }),
    bringing(ran("b"), { n: 1 }),
  ]);
  assert.deepEqual(world.memo(id, "a"), { data: "a" });
  const { "run/inngest.warnings": warning, ...rest } = noted(world);
  assert.deepEqual(rest, { "step/b/userland.k": { n: 1 } });
  assert.match(JSON.stringify(warning), /step \\"a\\" was dropped.*limit is 1000/);
  world.complete(id);
  assert.equal(world.run(id).run.status, "completed");
});

test("metadata that could not be read is told in a warning", () => {
  const { world, id } = started();
  world.ops(id, "step", [{ ...ran("a"), metadata: { updates: [], problem: "it is odd" } }]);
  assert.match(JSON.stringify(noted(world)), /it is odd/);
  assert.deepEqual(world.memo(id, "a"), { data: "a" });
});

test("estimated_cost is added to inngest.ai, unless the app says one", () => {
  const { world, id } = started();
  const ai = (values: object, op: MetadataOp = "merge", spanId: string | null = null) => {
    note(world, id, update(values, { spanId }, op, "inngest.ai"));
    const last = world.changes.findLast((change) => change.type === "metadata.put");
    const costed: unknown = JSON.parse(last?.metadata.values ?? "{}");
    return costed;
  };
  const usage = { input_tokens: 1_000, output_tokens: 100 };
  const model = { response_model: "gpt-5.4-nano-2026-03-17", request_model: "own" };
  assert.deepEqual(ai({ ...usage, ...model }), { ...usage, ...model, estimated_cost: 0.000325 });
  assert.deepEqual(ai({ input_tokens: 1_000 }, "add"), {
    input_tokens: 2_000,
    output_tokens: 100,
    ...model,
    estimated_cost: 0.000525,
  });
  const own = { ...usage, ...model, estimated_cost: 7 };
  assert.deepEqual(ai(own, "set"), own);
  assert.deepEqual(ai({ output_tokens: 5 }), { ...own, output_tokens: 5 });
  assert.deepEqual(ai({ ...usage, response_model: "own" }, "set"), {
    ...usage,
    response_model: "own",
  });
  assert.deepEqual(ai({ request_model: "OpenAI/gpt-4o", ...usage }, "set", "s"), {
    request_model: "OpenAI/gpt-4o",
    ...usage,
    estimated_cost: 0.0035,
  });
});

test("whatever is noted, the changes add up, limits hold, and a refusal changes nothing", () => {
  const values = fc.dictionary(
    fc.constantFrom("a", "b", "ü\n", "__proto__"),
    fc.oneof(fc.integer({ min: -9, max: 9 }), fc.string(), fc.constant(null)),
    { maxKeys: 3 },
  );
  const someUpdate = fc.record({
    values,
    op: fc.constantFrom<MetadataOp>("merge", "set", "delete", "add"),
    kind: fc.constantFrom("k", "l", "m"),
    target: fc.constantFrom<Partial<MetadataTarget>>({}, { stepId: "a" }, { spanId: "s" }),
  });
  fc.assert(
    fc.property(fc.array(fc.array(someUpdate, { maxLength: 3 }), { maxLength: 15 }), (requests) => {
      const { world, id } = started({ runMetadataCharsMax: 90, runMetadataMax: 4 });
      world.ops(id, "step", [ran("a")]);
      for (const request of requests) {
        const before = noted(world);
        const updates = request.map(({ values, op, kind, target }) =>
          update(values, target, op, kind),
        );
        if (note(world, id, ...updates) !== "") assert.deepEqual(noted(world), before);
        const { metadata } = world.run(id);
        const after = noted(world);
        assert.equal(metadata?.count, Object.keys(after).length);
        assert.ok((metadata?.count ?? 0) <= 4 && (metadata?.chars ?? 0) <= 90);
      }
    }),
  );
});
