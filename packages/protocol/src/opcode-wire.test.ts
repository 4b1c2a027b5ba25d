// Opcodes as the SDKs of each language put them on the wire.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Opcode } from "./opcode.ts";
import { readOpcodes } from "./opcode-wire.ts";
import { ProtocolError } from "./protocol-error.ts";

const hash = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
const base = {
  id: hash,
  displayName: "a",
  userId: "a",
  userIndex: 0,
  race: false,
  stepType: null,
  opts: null,
  retries: null,
};

function one(text: string): Opcode {
  const opcodes = readOpcodes(text);
  assert.equal(opcodes.length, 1);
  return opcodes[0] as Opcode; // proof: the length was asserted
}

/** An opcode with the usual id and the given further members. */
function wire(op: string, members = ""): string {
  const more = members === "" ? "" : `,${members}`;
  return `{"id":"${hash}","op":"${op}","displayName":"a","userland":{"id":"a"}${more}}`;
}

function refused(text: string, message: RegExp): void {
  assert.throws(
    () => readOpcodes(text),
    (error) => {
      assert.ok(error instanceof ProtocolError, String(error));
      assert.equal(error.code, "opcode_invalid");
      assert.match(error.message, message);
      return true;
    },
    text,
  );
}

test("StepRun of TypeScript: data as it arrived, time in ns", () => {
  const opcodes = readOpcodes(
    `[{"id":"${hash}","op":"StepRun","name":"a","opts":{"input":[1]},"displayName":"a",` +
      `"userland":{"id":"a","index":2},"data":{ "n" : 12345678901234567890 },` +
      `"timing":{"a":1700000000123000000,"b":2000000}}]`,
  );
  assert.deepEqual(opcodes, [
    {
      ...base,
      op: "StepRun",
      userIndex: 2,
      opts: '{"input":[1]}',
      memo: '{"data":{ "n" : 12345678901234567890 }}',
      startedAt: 1_700_000_000_123,
      endedAt: 1_700_000_000_125,
    },
  ]);
});

test("StepRun of Go: nulls for what is absent", () => {
  const text =
    `[{"op":"StepRun","id":"${hash}","name":"a","opts":null,"data":"x","error":null,` +
    `"displayName":null,"timing":{"a":0,"b":0},"userland":{"id":"a"}}]`;
  assert.deepEqual(readOpcodes(text), [
    { ...base, op: "StepRun", memo: '{"data":"x"}', startedAt: null, endedAt: null },
  ]);
});

test("StepRun of Python: null index, no timing", () => {
  const text = `[{"data":null,"displayName":"a","id":"${hash}","name":"a","op":"StepRun","userland":{"id":"a","index":null}}]`;
  assert.deepEqual(readOpcodes(text), [
    { ...base, op: "StepRun", memo: '{"data":null}', startedAt: null, endedAt: null },
  ]);
});

test("keys match without regard to case, and unknown ones are ignored", () => {
  const text = `{"ID":"${hash}","Op":"StepRun","DisplayName":"a","Userland":{"Id":"a"},"Data":1,"metadata":[],"mode":"sync"}`;
  const opcode = one(text);
  assert.ok(opcode.op === "StepRun");
  assert.deepEqual(
    { memo: opcode.memo, userId: opcode.userId },
    { memo: '{"data":1}', userId: "a" },
  );
});

test("the memo of a step: missing data is null, types go beside data", () => {
  const memo = (members: string) => {
    const opcode = one(wire("StepRun", members));
    assert.ok(opcode.op === "StepRun");
    return opcode.memo;
  };
  assert.equal(memo(""), '{"data":null}');
  assert.equal(
    memo('"data":"2026-01-01","types":{ "":"date" }'),
    '{"data":"2026-01-01","types":{ "":"date" }}',
  );
  assert.equal(memo('"data":1,"types":null'), '{"data":1}');
  assert.equal(memo('"data":{"data":1}'), '{"data":{"data":1}}');
  assert.equal(memo('"data":{"error":1}'), '{"data":{"error":1}}');
});

test("Step, the older opcode, may be wrapped already", () => {
  const memo = (data: string) => {
    const opcode = one(wire("Step", `"data":${data}`));
    assert.ok(opcode.op === "StepRun");
    return opcode.memo;
  };
  assert.equal(memo('{ "data" : 1 }'), '{ "data" : 1 }');
  assert.equal(memo('{"data":1,"more":2}'), '{"data":{"data":1,"more":2}}');
  assert.equal(memo("5"), '{"data":5}');
});

test("timing in ms, as text, and odd", () => {
  const timing = (value: string) => {
    const opcode = one(wire("StepRun", `"timing":${value}`));
    assert.ok(opcode.op === "StepRun");
    return [opcode.startedAt, opcode.endedAt];
  };
  assert.deepEqual(timing('{"a":1700000000000,"b":5}'), [1_700_000_000_000, 1_700_000_000_005]);
  assert.deepEqual(
    timing('{"a":1700000000000,"b":"1.5s"}'),
    [1_700_000_000_000, 1_700_000_001_500],
  );
  assert.deepEqual(timing('{"a":1700000000000}'), [1_700_000_000_000, null]);
  assert.deepEqual(timing('{"a":1700000000000,"b":-5}'), [1_700_000_000_000, null]);
  for (const odd of ["null", "5", "{}", '{"a":"x"}', '{"a":-1,"b":1}', '{"a":1e999,"b":1}', "[]"]) {
    assert.deepEqual(timing(odd), [null, null], odd);
  }
});

test("StepError and StepFailed keep the error as it arrived", () => {
  const error = '{ "name":"TypeError", "message":"no", "stack":"at x", "cause":{"n":1.0} }';
  assert.deepEqual(one(wire("StepError", `"error":${error}`)), {
    ...base,
    op: "StepError",
    error,
    noRetry: false,
  });
  assert.deepEqual(one(wire("StepFailed", `"error":${error},"data":null`)), {
    ...base,
    op: "StepFailed",
    error,
  });
});

test("a step error says itself that it must not be retried", () => {
  const noRetry = (members: string) => {
    const opcode = one(wire("StepError", members));
    assert.ok(opcode.op === "StepError");
    return opcode.noRetry;
  };
  assert.equal(noRetry('"error":{"name":"E","message":"m","noRetry":true}'), true);
  assert.equal(noRetry('"error":{"name":"E","message":"m"},"opts":{"noRetry":true}'), true);
  assert.equal(noRetry('"error":{"name":"E","message":"m","noRetry":"true"}'), false);
});

test("an error of any shape becomes an object with name and message", () => {
  const error = (value: string): unknown => {
    const opcode = one(wire("StepError", `"error":${value}`));
    assert.ok(opcode.op === "StepError");
    return JSON.parse(opcode.error);
  };
  assert.deepEqual(error('"broke"'), { name: "Error", message: "broke" });
  assert.deepEqual(error("[1]"), { name: "Error", message: "[1]" });
  assert.deepEqual(error('{"message":"m","x":{"n":1}}'), {
    name: "Error",
    message: "m",
    x: { n: 1 },
  });
  assert.deepEqual(error('{"name":"E","error":"m"}'), { name: "E", message: "m", error: "m" });
  assert.deepEqual(error('{"name":5,"message":{"a":1}}'), {
    name: "Error",
    message: "The step failed, and the app did not say why.",
  });
  for (const none of ["null", '""', "{}"]) {
    assert.deepEqual(error(none), {
      name: "Error",
      message: "The step failed, and the app did not say why.",
    });
  }
});

test("a step that ran into an error without data has failed", () => {
  for (const op of ["StepRun", "Step"]) {
    const opcode = one(wire(op, '"error":{"name":"E","message":"m"},"data":null'));
    assert.deepEqual(opcode, { ...base, op: "StepFailed", error: '{"name":"E","message":"m"}' });
    assert.equal(one(wire(op, '"error":{"name":"E","message":"m"},"data":1')).op, "StepRun");
  }
});

test("StepPlanned with the options of its kind", () => {
  assert.deepEqual(
    one(wire("StepPlanned", '"opts":{"type":"step.sendEvent","parallelMode":"race","retries":2}')),
    {
      ...base,
      op: "StepPlanned",
      stepType: "step.sendEvent",
      race: true,
      retries: 2,
      opts: '{"type":"step.sendEvent","parallelMode":"race","retries":2}',
    },
  );
});

test("race mode, which Go writes with a capital", () => {
  const race = (mode: string) => one(wire("Sleep", `"opts":{"parallelMode":${mode}}`)).race;
  assert.deepEqual(
    [race('"race"'), race('"Race"'), race('"wait"'), race("null"), race("5")],
    [true, true, false, false, false],
  );
});

test("Sleep: name of TypeScript, opts.duration of Python and Go", () => {
  const until = (members: string) => {
    const opcode = one(wire("Sleep", members));
    assert.ok(opcode.op === "Sleep");
    return opcode.until;
  };
  assert.deepEqual(until('"name":"1h30m"'), { forMs: 5_400_000 });
  assert.deepEqual(until('"name":"2026-11-21T10:00:00.000Z"'), { at: Date.UTC(2026, 10, 21, 10) });
  assert.deepEqual(until('"name":"a","opts":{"duration":"2s"}'), { forMs: 2_000 });
  assert.deepEqual(until('"name":"a","opts":{"duration":""}'), { forMs: 0 });
  assert.deepEqual(until('"name":""'), { forMs: 0 });
  assert.deepEqual(until(""), { forMs: 0 });
  refused(wire("Sleep", '"name":"soon"'), /^Opcode 0 \(Sleep\): name must be a duration/);
  refused(
    wire("Sleep", '"opts":{"duration":"soon"}'),
    /^Opcode 0 \(Sleep\), inside opts: duration must be a duration/,
  );
  refused(wire("Sleep", '"opts":{"duration":5}'), /inside opts: duration must be a string/);
});

test("WaitForEvent of each language, and the lookback of pawl", () => {
  const wait = (members: string) => {
    const opcode = one(wire("WaitForEvent", members));
    assert.ok(opcode.op === "WaitForEvent");
    const { event, expression, timeout, lookback } = opcode;
    return { event, expression, timeout, lookback };
  };
  const plain = {
    event: "shop/paid",
    expression: null,
    timeout: { forMs: 3_600_000 },
    lookback: null,
  };
  assert.deepEqual(wait('"name":"shop/paid","opts":{"timeout":"1h"}'), plain);
  assert.deepEqual(wait('"name":"a","opts":{"event":"shop/paid","timeout":"1h","if":""}'), plain);
  assert.deepEqual(
    wait('"name":"shop/paid","opts":{"timeout":"1h","if":"a == b","lookback":"run"}'),
    {
      ...plain,
      expression: "a == b",
      lookback: "run",
    },
  );
  assert.equal(wait('"name":"x","opts":{"lookback":"5m"}').lookback, 300_000);
  assert.equal(wait('"name":"x","opts":{"lookback":1500.7}').lookback, 1_500);
  assert.deepEqual(wait('"name":"x","opts":{"timeout":""}').timeout, { forMs: 0 });
  assert.deepEqual(wait('"name":"x"').timeout, { forMs: 0 });
  refused(wire("WaitForEvent"), /^Opcode 0 \(WaitForEvent\), inside opts: event must be/);
  for (const lookback of ["-1", '"soon"', "true", "[]", "1e999"]) {
    refused(wire("WaitForEvent", `"name":"x","opts":{"lookback":${lookback}}`), /lookback must be/);
  }
  refused(wire("WaitForEvent", '"name":"x","opts":{"timeout":"soon"}'), /timeout must be/);
  refused(wire("WaitForEvent", '"name":"x","opts":{"if":5}'), /if must be a string/);
});

test("WaitForEvents: branches in their order, each with a name of its own", () => {
  const events =
    '[{"name":"b","event":"shop/paid","if":"a == b"},{"name":"1","event":"x","if":""}]';
  const opcode = one(
    wire(
      "WaitForEvents",
      `"opts":{"mode":"all","events":${events},"timeout":"1h","lookback":"run"}`,
    ),
  );
  assert.ok(opcode.op === "WaitForEvents");
  const { mode, branches, timeout, lookback } = opcode;
  assert.deepEqual(
    { mode, branches, timeout, lookback },
    {
      mode: "all",
      branches: [
        { name: "b", event: "shop/paid", expression: "a == b" },
        { name: "1", event: "x", expression: null },
      ],
      timeout: { forMs: 3_600_000 },
      lookback: "run",
    },
  );
  refused(
    wire("WaitForEvents", `"opts":{"mode":"one","events":${events}}`),
    /mode must be "any" or/,
  );
  for (const bad of ["null", "[]", "{}", '"x"']) {
    refused(
      wire("WaitForEvents", `"opts":{"mode":"any","events":${bad}}`),
      /events must be a list/,
    );
  }
  const long = "x".repeat(513);
  for (const bad of [
    "5",
    '{"name":"a"}',
    '{"event":"e"}',
    '{"name":"","event":"e"}',
    `{"name":"${long}","event":"e"}`,
    '{"name":"a","event":"e","if":5}',
  ]) {
    const list = `[{"name":"first","event":"e"},${bad}]`;
    refused(wire("WaitForEvents", `"opts":{"mode":"any","events":${list}}`), /events\[1\] must be/);
  }
  const twice = '[{"name":"a","event":"e"},{"name":"a","event":"f"}]';
  refused(wire("WaitForEvents", `"opts":{"mode":"any","events":${twice}}`), /events\[1\] must be/);
});

test("WaitForSignal: the name, the time, what happens in a conflict", () => {
  const wait = (members: string) => {
    const opcode = one(wire("WaitForSignal", members));
    assert.ok(opcode.op === "WaitForSignal");
    const { signal, timeout, onConflict } = opcode;
    return { signal, timeout, onConflict };
  };
  const plain = { signal: "s", timeout: { forMs: 60_000 }, onConflict: "fail" };
  assert.deepEqual(wait('"name":"s","opts":{"signal":"s","timeout":"1m"}'), plain);
  assert.deepEqual(wait('"opts":{"signal":"s","timeout":"1m","conflict":null}'), plain);
  assert.deepEqual(wait('"opts":{"signal":"s","timeout":"1m","conflict":"replace"}'), {
    ...plain,
    onConflict: "replace",
  });
  // Go's `name` is that of the step.
  refused(wire("WaitForSignal", '"name":"w","opts":{"timeout":"1m"}'), /signal must be the name/);
  refused(wire("WaitForSignal", '"opts":{"signal":"s","conflict":"wait"}'), /conflict must be/);
});

test("InvokeFunction: what becomes of the invoked run when its invoker is cancelled", () => {
  const onCancel = (member: string) => {
    const opcode = one(wire("InvokeFunction", `"opts":{"function_id":"shop-square"${member}}`));
    return opcode.op === "InvokeFunction" ? opcode.onCancel : undefined;
  };
  assert.equal(onCancel(""), null);
  assert.equal(onCancel(',"onCancel":"cancel"'), "cancel");
  assert.equal(onCancel(',"onCancel":"abandon"'), "abandon");
  const wrong = wire("InvokeFunction", '"opts":{"function_id":"x","onCancel":"ignore"}');
  refused(wrong, /inside opts: onCancel must be/);
});

test("InvokeFunction: the payload passes as text", () => {
  const invoke = (opts: string) => {
    const opcode = one(wire("InvokeFunction", `"opts":${opts}`));
    assert.ok(opcode.op === "InvokeFunction");
    const { functionSlug, data, user, version, meta, timeout } = opcode;
    return { functionSlug, data, user, version, meta, timeout };
  };
  const bare = {
    functionSlug: "shop-square",
    data: "{}",
    user: null,
    version: null,
    meta: null,
    timeout: null,
  };
  assert.deepEqual(invoke('{"function_id":"shop-square"}'), bare);
  assert.deepEqual(
    invoke(
      '{"function_id":"shop-square","payload":{"data":null,"user":null,"v":"","meta":null},"timeout":""}',
    ),
    bare,
  );
  assert.deepEqual(
    invoke(
      '{"function_id":"shop-square","payload":{"data":{ "n" : 1.0 },"user":{"u":1},"v":"2","meta":{"m":1}},"timeout":"1m"}',
    ),
    {
      functionSlug: "shop-square",
      data: '{ "n" : 1.0 }',
      user: '{"u":1}',
      version: "2",
      meta: '{"m":1}',
      timeout: { forMs: 60_000 },
    },
  );
  refused(wire("InvokeFunction", '"opts":{}'), /inside opts: function_id must be/);
  refused(
    wire("InvokeFunction", '"opts":{"function_id":"x","payload":{"data":[]}}'),
    /inside opts, inside payload: data must be an object/,
  );
});

test("opcodes about the run need no id", () => {
  assert.deepEqual(one('{"op":"RunComplete","data":{ "a" : 1 }}'), {
    ...base,
    id: "",
    displayName: "RunComplete",
    userId: null,
    op: "RunComplete",
    memo: '{"data":{ "a" : 1 }}',
  });
  const complete = one('{"op":"RunComplete","data":"x","types":{"":"date"}}');
  assert.ok(complete.op === "RunComplete");
  assert.equal(complete.memo, '{"data":"x","types":{"":"date"}}');
  const sync = one('{"op":"SyncRunComplete","data":"x"}');
  assert.ok(sync.op === "RunComplete" && sync.memo === '{"data":"x"}');
  for (const op of ["DiscoveryRequest", "StepNotFound", "None"] as const) {
    assert.equal(one(`{"op":"${op}"}`).op, op);
  }
});

test("opcodes of later features, and unknown ones, are reported by their name", () => {
  for (const wireOp of ["constructor", "toString", "steprun"]) {
    const opcode = one(wire(wireOp, '"opts":{"retries":"anything","type":5}'));
    assert.ok(opcode.op === "Unsupported");
    assert.equal(opcode.wireOp, wireOp);
  }
});

test("the name people see: display name, the user's id, the hash", () => {
  const name = (members: string) =>
    one(`{"op":"StepPlanned","id":"${hash}"${members}}`).displayName;
  assert.equal(name(',"displayName":"Shown","userland":{"id":"a"}'), "Shown");
  assert.equal(name(',"displayName":"","userland":{"id":"a"}'), "a");
  assert.equal(name(""), hash);
});

test("refusals name the place, the kind and the field", () => {
  refused(
    `[${wire("StepRun")},${wire("StepPlanned", '"opts":[]')}]`,
    /^Opcode 1 \(StepPlanned\): opts must be an object\.$/,
  );
  refused('[{"id":"x"}]', /^Opcode 0: op must be/);
  refused('[{"id":"x","op":5}]', /^Opcode 0: op must be a string/);
  refused('[{"op":"StepRun"}]', /^Opcode 0 \(StepRun\): id must be/);
  refused('[{"op":"StepRun","id":5}]', /id must be a string/);
  refused(`[{"op":"StepRun","id":"${"x".repeat(513)}"}]`, /id must be at most 512 characters/);
  refused(
    wire("StepRun").replace('{"id":"a"}', '{"id":5}'),
    /inside userland: id must be a string/,
  );
  refused(wire("StepRun").replace('{"id":"a"}', '{"index":-1}'), /inside userland: index must be/);
  for (const retries of ["-1", "1.5", '"3"', "1e999"]) {
    refused(wire("StepRun", `"opts":{"retries":${retries}}`), /inside opts: retries must be/);
  }
  refused("[5]", /^Opcode 0 must be an object/);
  refused("5", /^Expected an array/);
  assert.throws(() => readOpcodes("["), { code: "json_invalid" });
  assert.deepEqual(readOpcodes(" [] "), []);
});

test("whatever a step returned is what its memo holds", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.jsonValue()), (data, before) => {
      const others = before.map((value) =>
        wire("StepRun", `"data":${JSON.stringify(value, null, 1)}`),
      );
      const text = `[${[...others, wire("StepRun", `"data":${JSON.stringify(data)}`)].join("\n,")}]`;
      const last = readOpcodes(text).at(-1);
      assert.ok(last?.op === "StepRun");
      assert.equal(last.memo, `{"data":${JSON.stringify(data)}}`);
    }),
  );
});
