// Sessions of events: the layers, what cuts them, their limit, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaultEventLimits, readEvents } from "./event-wire.ts";

/** The meta that is kept of an event with this one; an error as its code and message. */
function metaOf(meta: unknown): unknown {
  const body = JSON.stringify({ name: "a", meta });
  const options = { now: 0, limits: defaultEventLimits, nextId: () => "id" };
  const { events, failure } = readEvents(body, options);
  if (failure !== null) return `${failure.code}: ${failure.message}`;
  const kept = events[0]?.meta ?? null;
  return kept === null ? null : JSON.parse(kept);
}

const six = { a: "1", b: "1", c: "1", d: "1", e: "1", f: "1" };

test("the author's sessions win over inherited ones, key by key", () => {
  const cases: [unknown, unknown][] = [
    [{ sessions: { s: "1" } }, { sessions: { s: "1" } }],
    [{ sessions: { s: 7 } }, { sessions: { s: "7" } }],
    [{ propagated_sessions: { s: "1", n: 2 } }, { sessions: { n: "2", s: "1" } }],
    [
      { sessions: { s: "own" }, propagated_sessions: { s: "run", t: "run" } },
      { sessions: { s: "own", t: "run" } },
    ],
    [{ sessions: { s: null }, propagated_sessions: { s: "1", t: "2" } }, { sessions: { t: "2" } }],
    [{ sessions: null, propagated_sessions: { s: "1" } }, null],
    [{ sessions: {}, propagated_sessions: { s: "1" } }, { sessions: { s: "1" } }],
    [{ sessions: { s: null } }, null],
    [{ sessions: {} }, null],
    [
      { trace: "t", sessions: { s: "1" } },
      { trace: "t", sessions: { s: "1" } },
    ],
  ];
  for (const [meta, kept] of cases) assert.deepEqual(metaOf(meta), kept, JSON.stringify(meta));
});

test("meta without sessions stays the text that arrived", () => {
  const body = '{"name":"a","meta":{ "n" : 1.0 }}';
  const { events } = readEvents(body, {
    now: 0,
    limits: defaultEventLimits,
    nextId: () => "id",
  });
  assert.equal(events[0]?.meta, '{ "n" : 1.0 }');
});

test("inherited sessions fill what is free, in the order of their keys as UTF-8", () => {
  const { f: _, ...five } = six;
  assert.deepEqual(metaOf({ propagated_sessions: six }), { sessions: five });
  const own = { x: "1", y: "1", z: "1", w: "1" };
  assert.deepEqual(metaOf({ sessions: own, propagated_sessions: { b: "2", a: "2" } }), {
    sessions: { ...own, a: "2" },
  });
  // As UTF-16 the key beyond the first plane would come first.
  const keys = { "\u{1f600}": "late", "\uffee": "early" };
  assert.deepEqual(metaOf({ sessions: own, propagated_sessions: keys }), {
    sessions: { ...own, "\uffee": "early" },
  });
});

test("what can be no session is refused, naming it", () => {
  const long = "x".repeat(257);
  const cases: [unknown, RegExp][] = [
    [{ sessions: six }, /meta\.sessions must be at most 5 sessions \(6 were given\)/],
    [{ sessions: [] }, /meta\.sessions must be an object/],
    [{ sessions: { "": "1" } }, /meta\.sessions must be an object with keys/],
    [{ sessions: { [long]: "1" } }, /keys of 1 to 256/],
    [{ sessions: { s: "" } }, /meta\.sessions\["s"\] must be a text of 1 to 256/],
    [{ sessions: { s: true } }, /must be a text/],
    [{ sessions: { s: long } }, /must be a text/],
    [{ propagated_sessions: { s: null } }, /meta\.propagated_sessions\["s"\] must be a text/],
    [{ sessions: null, propagated_sessions: 5 }, /meta\.propagated_sessions must be an object/],
  ];
  for (const [meta, problem] of cases) {
    const kept = metaOf(meta);
    assert.ok(typeof kept === "string" && kept.startsWith("event_invalid: "), String(kept));
    assert.match(kept, problem);
  }
  const cut = Object.fromEntries(Object.keys(six).map((key) => [key, null]));
  assert.equal(metaOf({ sessions: cut }), null, "what is cut does not count");
});

test("property: at most five are kept, all of the author's, and what is cut is gone", () => {
  const keys = fc.constantFrom("a", "b", "c", "d", "e", "f", "g");
  const ids = fc.stringMatching(/^[xyz]{1,3}$/);
  const own = fc.dictionary(keys, fc.option(ids), { maxKeys: 5 });
  fc.assert(
    fc.property(own, fc.dictionary(keys, ids), (sessions, inherited) => {
      const kept = metaOf({ sessions, propagated_sessions: inherited });
      // proof: the sessions of these events are valid
      const result = ((kept ?? {}) as { sessions?: Record<string, string> }).sessions ?? {};
      const settled = Object.entries(sessions).filter(([, id]) => id !== null);
      assert.ok(Object.keys(result).length <= 5);
      for (const [key, id] of settled) assert.equal(result[key], id);
      for (const [key, id] of Object.entries(result)) {
        assert.equal(id, sessions[key] ?? inherited[key]);
        assert.notEqual(sessions[key], null);
      }
      const wanted = new Set([...settled.map(([key]) => key), ...Object.keys(inherited)]);
      for (const [key, id] of Object.entries(sessions)) if (id === null) wanted.delete(key);
      assert.equal(Object.keys(result).length, Math.min(5, wanted.size));
    }),
  );
});
