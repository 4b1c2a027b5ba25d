// Waiting for several events and for signals, as tables: what user code asks for, what the server is
// asked for, what user code gets back. And sending signals, over a played network.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandlerBase } from "../handler-context.ts";
import { PawlError, StepError, type PawlErrorCode } from "../errors.ts";
import {
  FakeWorld,
  callFunction,
  devClient,
  idHash,
  parseAs,
  type CallOptions,
} from "../test-kit.ts";

const paid = {
  name: "order/paid",
  id: "e1",
  ts: 1,
  data: { at: "1970-01-01T00:00:00.005Z" },
  user: {},
  meta: { types: { "/at": "date" } },
};
const paidSeen = { name: "order/paid", id: "e1", ts: 1, data: { at: new Date(5) }, user: {} };

function call(
  handler: (context: HandlerBase) => unknown,
  options: CallOptions = {},
  world = new FakeWorld(),
) {
  const client = devClient(world);
  return callFunction(
    client,
    client.createFunction({ id: "f" }, { event: "go" }, handler),
    options,
  );
}

interface Sent {
  readonly op: string;
  readonly opts: unknown;
}

const asked = {
  events: { paid: { event: "order/paid", match: "data.id" }, gone: { event: "gone", if: "true" } },
  timeout: "2h",
} as const;

test("several events are asked for in one step, in the order in which they are written", async () => {
  for (const mode of ["any", "all"] as const) {
    const tool = mode === "any" ? "waitForAny" : "waitForAll";
    const { status, value } = await call(({ step }) =>
      step[tool]("w", { ...asked, lookback: "5m" }),
    );
    const [sent, ...others] = value as [Sent]; // proof: one opcode
    assert.deepEqual([status, sent.op, others], [206, "WaitForEvents", []]);
    assert.deepEqual(sent.opts, {
      type: `step.${tool}`,
      mode,
      events: [
        { name: "paid", event: "order/paid", if: "event.data.id == async.data.id" },
        { name: "gone", event: "gone", if: "true" },
      ],
      timeout: "2h",
      lookback: 300_000,
    });
  }
});

test("what came is given back with the values of its events", async () => {
  const seen: unknown[] = [];
  const any = async ({ step }: HandlerBase) => {
    seen.push(await step.waitForAny("w", asked));
  };
  const all = async ({ step }: HandlerBase) => {
    seen.push(await step.waitForAll("w", asked));
  };
  const gone = { name: "gone", id: "e2", ts: 2, data: {}, user: {} };
  await call(any, { steps: { w: { data: { name: "paid", event: paid } } } });
  await call(all, { steps: { w: { data: { paid, gone } } } });
  await call(any, { steps: { w: null } });
  await call(all, { steps: { w: null } });
  assert.deepEqual(seen, [{ name: "paid", event: paidSeen }, { paid: paidSeen, gone }, null, null]);
});

test("a server that does not know the step says so, and user code can tell", async () => {
  const error = {
    name: "PawlUnsupportedStepError",
    code: "opcode_unsupported",
    message: 'Step "w" asks for "WaitForEvents", which this server does not perform.',
  };
  const { status, value } = await call(
    async ({ step }) => {
      try {
        return await step.waitForAny("w", asked);
      } catch (caught) {
        assert.ok(caught instanceof StepError);
        return caught.message;
      }
    },
    { steps: { w: { error } } },
  );
  assert.deepEqual([status, value], [200, error.message]);
});

test("a signal is asked for, and given back with its values", async () => {
  const handler = ({ step }: HandlerBase) =>
    step.waitForSignal<{ by: Date }>("w", { signal: "ok/1", timeout: "1d" });
  const [sent] = (await call(handler)).value as [Sent]; // proof: one opcode
  assert.equal(sent.op, "WaitForSignal");
  assert.deepEqual(sent.opts, { signal: "ok/1", timeout: "1d", conflict: "fail" });
  const data = { signal: "ok/1", data: { by: "1970-01-01T00:00:00.005Z" } };
  const memo = { data, types: { "/data/by": "date" } };
  const got: unknown[] = [];
  await call(async (context) => got.push(await handler(context)), { steps: { w: memo } });
  await call(async (context) => got.push(await handler(context)), { steps: { w: null } });
  assert.deepEqual(got, [{ signal: "ok/1", data: { by: new Date(5) } }, null]);
});

test("wrong options are refused where they are written", async () => {
  const wrong: readonly [PawlErrorCode, (context: HandlerBase) => Promise<unknown>][] = [
    ["option_invalid", ({ step }) => step.waitForAny("w", { events: {}, timeout: 1 })],
    [
      "option_invalid",
      ({ step }) =>
        step.waitForAll("w", { events: { a: { event: "a", if: "true", match: "b" } }, timeout: 1 }),
    ],
    ["signal_invalid", ({ step }) => step.waitForSignal("w", { signal: "", timeout: 1 })],
    ["signal_invalid", ({ step }) => step.sendSignal("w", { signal: "" })],
    [
      "duration_invalid",
      ({ step }) => step.waitForAny("w", { events: { a: { event: "a" } }, timeout: "soon" }),
    ],
  ];
  for (const [code, handler] of wrong) {
    let seen: unknown = null;
    await call(async (context) => handler(context).catch((error: unknown) => (seen = error)));
    assert.ok(seen instanceof PawlError);
    assert.equal(seen.code, code);
  }
});

const delivered = () => Response.json({ data: { run_id: "01RUN" } });
const nobody = () =>
  Response.json(
    { error: "No signal found", status: 404, code: "signal_not_found" },
    { status: 404 },
  );

test("a signal travels with its values and one id, however often it is tried", async () => {
  const world = new FakeWorld();
  const answers = [() => new Response("busy", { status: 503 }), delivered];
  world.answer = (_, index) => answers[index]?.() ?? delivered();
  const sent = await devClient(world).sendSignal({ signal: "ok/1", data: { at: new Date(5) } });
  assert.deepEqual(sent, { runId: "01RUN" });
  assert.equal(world.sent[0]?.url, "http://localhost:8288/v1/signals");
  assert.equal(world.sent[0].body, world.sent[1]?.body);
  assert.deepEqual(parseAs(world.sent[0].body), {
    signal: "ok/1",
    data: { at: "1970-01-01T00:00:00.005Z" },
    types: { "/data/at": "date" },
    id: "BwcHBwcHBwcHBwcHBwcH",
  });
});

test("nobody waits; the server refuses; the server is away", async () => {
  const world = new FakeWorld();
  const client = devClient(world);
  world.answer = nobody;
  assert.deepEqual(await client.sendSignal({ signal: "a" }), { runId: null });
  world.answer = () => Response.json({ error: "too large", status: 413 }, { status: 413 });
  await assert.rejects(client.sendSignal({ signal: "a" }), { code: "signal_refused" });
  world.answer = () => new Response("nothing here", { status: 404 });
  await assert.rejects(client.sendSignal({ signal: "a" }), { code: "signal_refused" });
  world.answer = () => {
    throw new Error("connection refused");
  };
  await assert.rejects(client.sendSignal({ signal: "a" }), { code: "signal_unsent" });
  await assert.rejects(client.sendSignal({ signal: "" }), { code: "signal_invalid" });
});

test("sending as a step has an id that follows from run and step", async () => {
  const world = new FakeWorld();
  world.answer = (request) =>
    request.url.endsWith("/v1/signals") ? delivered() : new Response("{}");
  await call(({ step }) => step.sendSignal("s", { signal: "a", data: 1 }), {}, world);
  const request = world.sent.find(({ url }) => url.endsWith("/v1/signals"));
  assert.deepEqual(parseAs(request?.body), {
    signal: "a",
    data: 1,
    id: `01JD0000000000000000000000-${idHash("s")}`,
  });
});
