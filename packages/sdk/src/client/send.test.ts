// Sending events: what travels, what is refused before it travels, and that trying again never
// doubles an event. Played server, virtual clock.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StandardSchemaV1 } from "../events/standard-schema.ts";
import { PawlError, type PawlErrorCode } from "../errors.ts";
import { FakeWorld, callFunction, devClient, idHash, opsOf, parseAs } from "../test-kit.ts";
import { Pawl } from "./pawl.ts";

const accepted = () => Response.json({ ids: ["01A"], status: 200 });

function throwsCode(code: PawlErrorCode, message = /./) {
  return (error: unknown) =>
    error instanceof PawlError && error.code === code && message.test(error.message);
}

test("an event travels with its values and a seed", async () => {
  const world = new FakeWorld();
  world.answer = accepted;
  const sent = await devClient(world).send({ name: "go", data: { at: new Date(0) }, id: "x" });
  assert.deepEqual(sent, { ids: ["01A"] });
  const [request] = world.sent;
  assert.equal(request?.url, "http://localhost:8288/e/dev");
  assert.equal(request?.headers["x-inngest-event-id-seed"], `${world.now},BwcHBwcHBwcHBw==`);
  assert.deepEqual(JSON.parse(request?.body ?? ""), [
    {
      name: "go",
      data: { at: "1970-01-01T00:00:00.000Z" },
      ts: world.now,
      id: "x",
      meta: { types: { "/at": "date" } },
    },
  ]);
});

test("tries of one sending carry the same seed and the same body", async () => {
  const world = new FakeWorld();
  const answers = [
    () => {
      throw new Error("reset");
    },
    () => new Response("busy", { status: 503 }),
    () => new Response("slow down", { status: 429, headers: { "retry-after": "2" } }),
    () => new Response("<html>", { status: 200 }),
    accepted,
  ];
  world.answer = (_, index) => answers[index]?.() ?? accepted();
  await devClient(world).send({ name: "go" });
  assert.equal(world.sent.length, 5);
  assert.equal(new Set(world.sent.map((each) => each.headers["x-inngest-event-id-seed"])).size, 1);
  assert.equal(new Set(world.sent.map((each) => each.body)).size, 1);
  assert.equal(world.slept[2], 2_000);
});

test("after the last try the reason is told", async () => {
  const world = new FakeWorld();
  world.answer = () => {
    throw new Error("connection refused");
  };
  await assert.rejects(
    devClient(world).send({ name: "go" }),
    throwsCode("event_unsent", /connection refused/),
  );
  assert.equal(world.sent.length, 6);
});

for (const [what, answer] of [
  ["a status", () => Response.json({ ids: [], status: 400, error: "too large" }, { status: 400 })],
  ["the body of a 200", () => Response.json({ ids: [], status: 401, error: "too large" })],
] as const) {
  test(`a refusal in ${what} is final`, async () => {
    const world = new FakeWorld();
    world.answer = answer;
    await assert.rejects(
      devClient(world).send({ name: "go" }),
      throwsCode("event_refused", /too large/),
    );
    assert.equal(world.sent.length, 1);
  });
}

test("no events, no request", async () => {
  const world = new FakeWorld();
  assert.deepEqual(await devClient(world).send([]), { ids: [] });
  assert.equal(world.sent.length, 0);
});

test("outside of dev mode there must be a key", async () => {
  const world = new FakeWorld();
  world.answer = accepted;
  const options = { id: "app", runtime: world.runtime };
  await assert.rejects(new Pawl(options).send({ name: "go" }), throwsCode("event_key_missing"));
  await new Pawl({ ...options, eventKey: "k/1" }).send({ name: "go" });
  assert.equal(world.sent[0]?.url, "http://localhost:8288/e/k%2F1");
});

/** A hand-made validator: `count` must be a number; it is doubled. */
const countSchema: StandardSchemaV1<{ count: number }, { count: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      const count =
        value !== null && typeof value === "object" && "count" in value ? value.count : undefined;
      if (typeof count === "number") return { value: { count: count * 2 } };
      return { issues: [{ message: "expected a number", path: ["count"] }] };
    },
  },
};

test("schemas check and shape what is sent, and name event and field", async () => {
  const world = new FakeWorld();
  world.answer = accepted;
  const client = new Pawl({
    id: "app",
    isDev: true,
    events: { "shop/counted": countSchema },
    runtime: world.runtime,
  });
  await client.send({ name: "shop/counted", data: { count: 2 } });
  assert.deepEqual(parseAs<[{ data: unknown }]>(world.sent[0]?.body)[0].data, { count: 4 });
  // @ts-expect-error the schema wants a number
  const wrong = client.send({ name: "shop/counted", data: { count: "2" } });
  await assert.rejects(
    wrong,
    throwsCode("event_invalid", /"shop\/counted".*data\.count: expected a number/),
  );
  assert.equal(world.sent.length, 1);
});

test("middleware may change what is sent", async () => {
  const world = new FakeWorld();
  world.answer = accepted;
  const client = new Pawl({
    id: "app",
    isDev: true,
    runtime: world.runtime,
    middleware: [
      {
        name: "stamp",
        transformSend: (events) => events.map((event) => ({ ...event, v: "2" })),
      },
    ],
  });
  await client.send([{ name: "a" }, { name: "b" }]);
  assert.deepEqual(
    parseAs<{ name: string; v: string }[]>(world.sent[0]?.body).map(({ name, v }) => name + v),
    ["a2", "b2"],
  );
});

test("events of step.sendEvent have ids that follow from run and step", async () => {
  const world = new FakeWorld();
  world.answer = accepted;
  const client = devClient(world);
  const fn = client.createFunction({ id: "f" }, { event: "go" }, ({ step }) =>
    step.sendEvent("tell", [{ name: "a" }, { name: "b", id: "mine" }]),
  );
  const first = await callFunction(client, fn);
  assert.deepEqual(opsOf(first.value), ["StepRun tell"]);
  await callFunction(client, fn);
  const [once, again] = world.sent.map((request) =>
    parseAs<{ id: string }[]>(request.body).map(({ id }) => id),
  );
  assert.deepEqual(once, [`01JD0000000000000000000000-${idHash("tell")}-0`, "mine"]);
  assert.deepEqual(again, once);
});
