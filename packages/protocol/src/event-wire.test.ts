// Events as senders write them: every form of body, every limit, every refusal.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  defaultEventLimits,
  eventBytesCeiling,
  type EventLimits,
  type IncomingEvent,
  readEvents,
  readInvocation,
  writeEvent,
} from "./event-wire.ts";
import { toJsonText } from "./json-text.ts";

const now = 1_700_000_000_000;

function read(body: string, limits: Partial<EventLimits> = {}) {
  return readEvents(body, {
    now,
    limits: { ...defaultEventLimits, ...limits },
    nextId: (index) => `id-${index}`,
  });
}

function one(body: string): IncomingEvent {
  const { events, failure } = read(body);
  assert.equal(failure, null);
  assert.equal(events.length, 1);
  return events[0] as IncomingEvent; // proof: the length was asserted
}

function failureOf(body: string, limits: Partial<EventLimits> = {}) {
  const { failure } = read(body, limits);
  assert.ok(failure, `accepted: ${body.slice(0, 80)}`);
  return failure;
}

test("defaults", () => {
  assert.deepEqual(one('{"name":"shop/opened"}'), {
    id: "id-0",
    name: "shop/opened",
    externalId: null,
    ts: now,
    receivedAt: now,
    data: "{}",
    user: null,
    version: null,
    meta: null,
  });
});

test("every field; payloads keep their characters", () => {
  const event = one(
    ' { "name":"a", "id":"order-1", "ts":5, "v":"2026-01", "user":{ "n" : 1.0 },' +
      ' "meta":{ "n" : 2.0 }, "data":{ "big" : 12345678901234567890, "e":"\\u00e9" } } ',
  );
  assert.deepEqual(event, {
    id: "id-0",
    name: "a",
    externalId: "order-1",
    ts: 5,
    receivedAt: now,
    data: '{ "big" : 12345678901234567890, "e":"\\u00e9" }',
    user: '{ "n" : 1.0 }',
    version: "2026-01",
    meta: '{ "n" : 2.0 }',
  });
});

test("nulls and zero values of other languages are absent fields", () => {
  const event = one('{"name":"a","id":"","ts":0,"v":"","user":null,"meta":null,"data":null}');
  assert.deepEqual(event, one('{"name":"a"}'));
});

test("keys match without regard to case, an exact one first", () => {
  assert.equal(one('{"Name":"a","DATA":{"x":1}}').data, '{"x":1}');
  assert.equal(one('{"Name":"b","name":"a"}').name, "a");
});

test("one event, an array, and a stream come to the same", () => {
  const items = ['{"name":"a"}', '{"name":"b","data":{"x":"}\\n{"}}', '{"name":"c"}'];
  const names = ["a", "b", "c"];
  for (const body of [
    `[${items.join(",")}]`,
    ` [ ${items.join(" , ")} ] `,
    items.join("\n"),
    items.join(""),
    `\ufeff${items.join("\r\n\r\n")}\n`,
  ]) {
    const { events, failure } = read(body);
    assert.equal(failure, null);
    assert.deepEqual(
      events.map((event) => event.name),
      names,
    );
    assert.deepEqual(
      events.map((event) => event.id),
      ["id-0", "id-1", "id-2"],
    );
  }
  assert.deepEqual(read("[]"), { events: [], failure: null });
});

test("it stops at the first bad item and keeps those in front of it", () => {
  for (const body of [
    '[{"name":"a"},{"name":""},{"name":"c"}]',
    '{"name":"a"}\n{"name":""}\n{"name":"c"}',
  ]) {
    const { events, failure } = read(body);
    assert.deepEqual(
      events.map((event) => event.name),
      ["a"],
    );
    assert.equal(failure?.code, "event_invalid");
    assert.match(failure?.message ?? "", /^Event 1: name /);
  }
  const damaged = read('{"name":"a"}\n{"name":"b"');
  assert.deepEqual(
    damaged.events.map((event) => event.name),
    ["a"],
  );
  assert.equal(damaged.failure?.code, "json_invalid");
});

test("text that is no JSON", () => {
  for (const body of [
    "",
    "  ",
    "\ufeff",
    "x",
    "{",
    '[{"name":"a"}',
    '[{"name":"a"}] x',
    "name=a&data=1",
  ]) {
    const { events, failure } = read(body);
    assert.equal(failure?.code, "json_invalid", body);
    assert.deepEqual(events, [], body);
  }
});

test("wrong types are refused by name of the field", () => {
  const fields: readonly (readonly [string, string])[] = [
    ["data", "[]"],
    ["data", '"text"'],
    ["data", "5"],
    ["data", "true"],
    ["id", "5"],
    ["id", `"${"x".repeat(513)}"`],
    ["ts", '"5"'],
    ["ts", "-1"],
    ["ts", "1e999"],
    ["ts", "9e15"],
    ["user", "[]"],
    ["v", "1"],
    ["meta", '"x"'],
  ];
  for (const [field, value] of fields) {
    const failure = failureOf(`{"name":"a","${field}":${value}}`);
    assert.equal(failure.code, "event_invalid");
    assert.match(failure.message, new RegExp(`^Event 0: ${field} must be `));
  }
  for (const body of [
    "5",
    "null",
    '"a"',
    '[[{"name":"a"}]]',
    "[null]",
    "{}",
    '{"name":5}',
    '{"name":null}',
  ]) {
    assert.equal(failureOf(body).code, "event_invalid", body);
  }
});

test("a fractional ts is cut off", () => {
  assert.equal(one('{"name":"a","ts":1700000000123.9}').ts, 1_700_000_000_123);
  assert.equal(one('{"name":"a","ts":1.7e12}').ts, 1_700_000_000_000);
});

test("reserved names are not for outside callers", () => {
  for (const name of ["inngest/function.failed", "pawl/x", "inngest/"]) {
    assert.equal(failureOf(`{"name":"${name}"}`).code, "event_invalid");
  }
  assert.equal(one('{"name":"inngestion/started"}').name, "inngestion/started");
});

test("limits name themselves", () => {
  const long = failureOf('{"name":"abcd"}', { nameCharsMax: 3 });
  assert.equal(long.code, "event_name_too_long");
  assert.match(long.message, /3 are allowed \(limit nameCharsMax\)/);
  const large = failureOf('{"name":"a","data":{"x":"éé"}}', { eventBytesMax: 31 });
  assert.equal(large.code, "event_too_large");
  assert.match(large.message, /31 bytes \(limit eventBytesMax\)/);
  assert.equal(read('{"name":"a","data":{"x":"éé"}}', { eventBytesMax: 32 }).failure, null);
  const many = read('[{"name":"a"},{"name":"b"},{"name":"c"}]', { eventsMax: 2 });
  assert.equal(many.events.length, 2);
  assert.equal(many.failure?.code, "too_many_events");
});

test("no setting lifts the ceiling of an event's size", () => {
  const body = `{"name":"a","data":{"x":"${"x".repeat(eventBytesCeiling)}"}}`;
  assert.equal(failureOf(body, { eventBytesMax: Number.MAX_SAFE_INTEGER }).code, "event_too_large");
});

test("only the server may set data._inngest, however the key is spelled", () => {
  const spelled = String.raw`{"name":"a","data":{"n":1.0,"\u005finngest":{"fn_id":"x"},"b":12345678901234567890}}`;
  assert.equal(one(spelled).data, '{"n":1.0,"b":12345678901234567890}');
  assert.equal(one('{"name":"a","data":{"_inngest":1}}').data, "{}");
  const nested = '{"x":{"_inngest":1}}';
  assert.equal(one(`{"name":"a","data":${nested}}`).data, nested);
});

test("an invocation is an event of the internal name", () => {
  const read = (body: string) =>
    readInvocation(body, { now, limits: defaultEventLimits, id: "id" });
  assert.equal(read("").data, "{}");
  assert.deepEqual(read('{"name":"inngest/x","data":{"a":1},"user":{"b":2},"v":"1"}'), {
    id: "id",
    name: "inngest/function.invoked",
    externalId: null,
    ts: now,
    receivedAt: now,
    data: '{"a":1}',
    user: '{"b":2}',
    version: "1",
    meta: null,
  });
  assert.throws(() => read("[]"), { code: "event_invalid" });
  assert.throws(() => read("{"), { code: "json_invalid" });
});

test("apps see what was sent", () => {
  assert.equal(
    writeEvent(
      one('{"name":"a","id":"x","ts":7,"v":"1","user":{"u":1},"meta":{"m":1},"data":{"d" : 1.0}}'),
    ),
    '{"id":"x","name":"a","data":{"d" : 1.0},"user":{"u":1},"ts":7,"v":"1","meta":{"m":1}}',
  );
  assert.equal(
    writeEvent(one('{"name":"a\\"b"}')),
    `{"id":"id-0","name":"a\\"b","data":{},"user":{},"ts":${now}}`,
  );
});

test("any event survives reading and writing", () => {
  const data = fc.dictionary(
    fc.string().filter((key) => key !== "_inngest"),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 256 }), data, (text, payload) => {
      const name = `n${text}`.slice(0, 256);
      const event = one(toJsonText({ name, data: payload, ts: 1 }));
      const written: unknown = JSON.parse(writeEvent(event));
      const expected = { id: "id-0", name, data: payload, user: {}, ts: 1 };
      assert.deepEqual(written, JSON.parse(JSON.stringify(expected)));
    }),
  );
});

test("no body makes it throw", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    '"name"',
    ":",
    ",",
    '"a"',
    "1",
    "null",
    "\\",
    '"',
    "\n",
    "data",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((parts) => parts.join("")),
      ),
      (body) => {
        const { events, failure } = read(body);
        assert.ok(Array.isArray(events));
        assert.ok(failure === null || failure.name === "ProtocolError");
      },
    ),
    { numRuns: 2_000 },
  );
});
