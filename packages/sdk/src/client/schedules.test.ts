// Schedules from an app: what travels, and how the server's answers and refusals come out. Played
// server; a real one is in tests/sdk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PawlError } from "../errors.ts";
import { FakeWorld, devClient } from "../test-kit.ts";

const wire = {
  id: "s",
  cron: null,
  every: "1h",
  event: { name: "go", data: { next_at: "2026-01-01T00:00:00.000Z" } },
  start_at: null,
  next_at: "2026-01-01T00:00:00.000Z",
  unended_run_ids: ["01A"],
  last: { at: "2025-12-31T23:00:00.000Z", run_ids: ["01A"], event_id: "01B" },
};

function worldWith(status: number, body: unknown): FakeWorld {
  const world = new FakeWorld();
  world.answer = () => Response.json(body, { status });
  return world;
}

test("what is said travels, with values and without what is not said", async () => {
  const world = worldWith(201, { data: wire });
  await devClient(world).schedules.create({
    id: "s",
    every: 90_000,
    startAt: new Date(0),
    endAt: null,
    event: { name: "go", data: { at: new Date(0) } },
    catchUp: "all",
  });
  const [request] = world.sent;
  assert.equal(`${request?.method} ${request?.url}`, "POST http://localhost:8288/v1/schedules");
  assert.deepEqual(JSON.parse(request?.body ?? ""), {
    id: "s",
    every: "1m30s",
    start_at: "1970-01-01T00:00:00.000Z",
    end_at: null,
    catch_up: "all",
    event: {
      name: "go",
      data: { at: "1970-01-01T00:00:00.000Z" },
      meta: { types: { "/at": "date" } },
    },
  });
});

test("a function is named by its app, with its data", async () => {
  const world = worldWith(200, { data: wire });
  const pawl = devClient(world);
  const fn = pawl.createFunction({ id: "f" }, { event: "go" }, () => null);
  await pawl.schedules.upsert({ id: "a/b", cron: "@daily", function: fn, data: { n: 1n } });
  const [request] = world.sent;
  assert.match(request?.url ?? "", /\/v1\/schedules\/a%2Fb$/);
  assert.deepEqual(JSON.parse(request?.body ?? ""), {
    cron: "@daily",
    function: { id: `${pawl.id}-f`, data: { n: "1" }, meta: { types: { "/n": "bigint" } } },
  });
});

test("a schedule comes back with dates, and its data as it is", async () => {
  const found = await devClient(worldWith(200, { data: wire })).schedules.get("s");
  assert.deepEqual(found?.nextAt, new Date("2026-01-01T00:00:00.000Z"));
  assert.equal(found?.startAt, null);
  assert.deepEqual(found?.unendedRunIds, ["01A"]);
  assert.deepEqual(found?.last?.at, new Date("2025-12-31T23:00:00.000Z"));
  assert.equal(found?.last?.eventId, "01B");
  assert.deepEqual(found?.event?.data, { next_at: "2026-01-01T00:00:00.000Z" });
});

test("each action has its route; pages and previews are read", async () => {
  const world = worldWith(200, {
    data: { ...wire, schedules: [wire], cursor: "s", ticks: ["2026-01-01T00:00:00.000Z"] },
  });
  const { schedules } = devClient(world);
  await schedules.update("s", { jitter: "5s" });
  await schedules.pause("s", { reason: "why" });
  await schedules.resume("s");
  await schedules.trigger("s");
  assert.equal(await schedules.delete("s"), true);
  const page = await schedules.list({ first: 3, cursor: "r s" });
  assert.deepEqual([page.cursor, page.schedules[0]?.id], ["s", "s"]);
  assert.deepEqual(await schedules.preview("s", 1), [new Date("2026-01-01T00:00:00.000Z")]);
  assert.deepEqual(
    world.sent.map(
      ({ method, url, body }) =>
        `${method} ${url.slice("http://localhost:8288/v1/schedules".length)} ${body}`,
    ),
    [
      'PATCH /s {"jitter":"5s"}',
      'POST /s/pause {"reason":"why"}',
      "POST /s/resume ",
      "POST /s/trigger ",
      "DELETE /s ",
      "GET ?first=3&cursor=r%20s ",
      "GET /s/preview?count=1 ",
    ],
  );
});

test("refusals have a code and the server's reason; nothing there is no error to get and delete", async () => {
  const refusing = (status: number, code: string) =>
    devClient(worldWith(status, { error: "the reason", status, code })).schedules;
  const codes: readonly (readonly [string, string])[] = [
    ["schedule_exists", "schedule_exists"],
    ["schedule_not_found", "schedule_not_found"],
    ["schedule_busy", "schedule_busy"],
    ["schedule_zone_invalid", "schedule_refused"],
  ];
  for (const [code, expected] of codes) {
    await assert.rejects(
      refusing(409, code).trigger("s"),
      (error: unknown) =>
        error instanceof PawlError && error.code === expected && /the reason/.test(error.message),
    );
  }
  const gone = refusing(404, "schedule_not_found");
  assert.equal(await gone.get("s"), null);
  assert.equal(await gone.delete("s"), false);
  const odd = devClient(worldWith(502, "<html>")).schedules;
  await assert.rejects(odd.get("s"), /The server answered 502/);
});
