// Where spans of user code hang in the tree of a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { UserSpan } from "@pawl/engine/user-spans";
import {
  attemptSample,
  baseTime,
  hashSample,
  runSample,
  stepSample,
  ulidSample,
  userSpanSample,
} from "@pawl/store/contract/samples";
import { sdkSpanId } from "./sdk-span-id.ts";
import { buildTrace, type Span } from "./trace.ts";
import { hangUserSpans } from "./user-trace.ts";

const runId = ulidSample(1);
const [one, twice] = [hashSample(1), hashSample(2)];
const us = (ms: number): number => (baseTime + ms) * 1_000;

/** A run whose step `one` ran from 10 to 20 ms, and `twice` failed (30 to 40) before it ran (50 to 60). */
const root = buildTrace({
  run: runSample(1, { status: "running", startedAt: baseTime }),
  functionName: "Order",
  steps: [
    stepSample(0, {
      id: one,
      displayName: "one",
      startedAt: baseTime + 10,
      endedAt: baseTime + 20,
    }),
    stepSample(1, {
      id: twice,
      displayName: "twice",
      attempts: 2,
      startedAt: baseTime + 50,
      endedAt: baseTime + 60,
    }),
  ],
  jobs: [],
  attempts: [
    {
      ...attemptSample(runId, 0),
      stepId: twice,
      startedAt: baseTime + 30,
      endedAt: baseTime + 40,
    },
  ],
});

function user(n: number, more: Partial<UserSpan> = {}): UserSpan {
  const at = { startedUs: us(1) + n, endedUs: us(99) };
  return userSpanSample(runId, n, { name: `u${String(n)}`, ...at, ...more });
}

const idOf = (n: number): string => user(n).id;

/** Names on the way from the root to a span of user code. */
function wayTo(tree: Span, name: string): readonly string[] | null {
  for (const child of tree.children) {
    if (child.name === name) return [child.name];
    const below = wayTo(child, name);
    if (below !== null) return [child.name, ...below];
  }
  return null;
}

function hung(...spans: readonly UserSpan[]): readonly (readonly string[] | null)[] {
  const tree = hangUserSpans(root, spans);
  return spans.map((span) => wayTo(tree, span.name));
}

test("a span hangs below the step that it names, whatever is around it in the app", () => {
  const call = user(1);
  const inStep = user(2, { parentId: call.id, stepId: one, attempt: 0 });
  const nested = user(3, { parentId: inStep.id, stepId: one, attempt: 0 });
  const orphan = user(4, { parentId: "f".repeat(16), stepId: one });
  assert.deepEqual(hung(call, inStep, nested, orphan), [
    ["u1"],
    ["one", "u2"],
    ["one", "u2", "u3"],
    ["one", "u4"],
  ]);
});

test("of a step that took several attempts, below the one that made it", () => {
  const spans = [0, 1, 7].map((attempt) => user(attempt, { stepId: twice, attempt }));
  assert.deepEqual(hung(...spans), [
    ["twice", "Attempt 1", "u0"],
    ["twice", "Attempt 2", "u1"],
    ["twice", "u7"],
  ]);
});

test("the step may be named as SDKs suppose its span to be called", () => {
  const js4 = user(1, { stepSpanId: sdkSpanId(one) });
  const js3 = user(2, { stepSpanId: sdkSpanId(`${twice}:0`) });
  const strange = user(3, { stepSpanId: "0".repeat(16) });
  assert.deepEqual(hung(js4, js3, strange), [["one", "u1"], ["twice", "Attempt 1", "u2"], ["u3"]]);
});

test("what names no step hangs where its call went, or in the one attempt around its time", () => {
  const at = (from: number, to: number) => ({ startedUs: us(from), endedUs: us(to) });
  const call = { parentId: idOf(1), call: { target: "step", attempt: 0 } };
  assert.deepEqual(
    hung(
      user(1, { call: call.call }),
      user(2, { ...call, ...at(10, 20) }),
      user(3, { ...call, ...at(31, 39) }),
      user(4, { ...call, ...at(15, 35) }),
      user(5, { call: { target: twice, attempt: 1 } }),
      // Nothing around it: it is the call's own, however short.
      user(6, { ...call, parentId: null, ...at(11, 12) }),
    ),
    [
      ["u1"],
      ["one", "u2"],
      ["twice", "Attempt 1", "u3"],
      ["u1", "u4"],
      ["twice", "Attempt 2", "u5"],
      ["u6"],
    ],
  );
});

test("a span that is its own ancestor, or lies too deep, is shown all the same", () => {
  const loop = [user(1, { parentId: idOf(2) }), user(2, { parentId: idOf(1) })];
  assert.deepEqual(hung(...loop, user(3, { parentId: idOf(3) })), [["u1"], ["u2"], ["u3"]]);
  const chain = Array.from({ length: 100 }, (_, n) =>
    user(n, n === 0 ? {} : { parentId: idOf(n - 1) }),
  );
  const ways = hung(...chain);
  assert.equal(ways[40]?.length, 41);
  assert.equal(ways[41]?.length, 1);
});

test("times are whole ms, order that of the microseconds, and the rest of the tree is as it was", () => {
  const late = user(1, { stepId: one, startedUs: us(11) + 900, endedUs: us(12) + 1 });
  const early = user(2, { stepId: one, startedUs: us(11) + 100, endedUs: us(11) + 200 });
  const tree = hangUserSpans(root, [early, late]);
  const step = tree.children.find(({ name }) => name === "one");
  assert.deepEqual(
    step?.children.map(({ name, startedAt, endedAt }) => [name, startedAt, endedAt]),
    [
      ["u2", baseTime + 11, baseTime + 11],
      ["u1", baseTime + 11, baseTime + 12],
    ],
  );
  assert.equal(hangUserSpans(root, []), root);
});

test("whatever spans say, each is in the tree once", () => {
  const ids = fc.integer({ min: 0, max: 12 });
  const spans = fc.uniqueArray(
    fc.record({
      n: ids,
      parent: fc.option(ids),
      step: fc.constantFrom(null, one, twice, "gone"),
      stepSpanId: fc.constantFrom(null, sdkSpanId(one), "0".repeat(16)),
      target: fc.constantFrom(null, "step", twice, hashSample(9)),
      attempt: fc.option(fc.integer({ min: 0, max: 3 })),
      from: fc.integer({ min: 0, max: 70 }),
      length: fc.integer({ min: 0, max: 40 }),
    }),
    { selector: ({ n }) => n, maxLength: 13 },
  );
  fc.assert(
    fc.property(spans, (drawn) => {
      const given = drawn.map(({ n, parent, step, stepSpanId, target, attempt, from, length }) =>
        user(n, {
          parentId: parent === null ? null : idOf(parent),
          stepId: step,
          stepSpanId,
          attempt,
          call: target === null ? null : { target, attempt: 0 },
          startedUs: us(from),
          endedUs: us(from + length),
        }),
      );
      const shown: Span[] = [];
      const walk = (span: Span): void => {
        shown.push(span);
        for (const child of span.children) {
          assert.equal(child.parentId, span.id);
          walk(child);
        }
      };
      walk(hangUserSpans(root, given));
      const users = shown.flatMap((span) => (span.user === null ? [] : [span.user.id]));
      assert.deepEqual(users.toSorted(), given.map(({ id }) => id).toSorted());
      assert.equal(shown.length - users.length, 5);
    }),
  );
});
