// Schedules made at runtime, over real sockets.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { apiKeyFrom, hashApiKey } from "../auth/api-key.ts";
import { ask, look, lookArray, until, type Answer } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({
    store: createMemoryStore(),
    settings: { schedulesMax: 8 },
    limits: {
      eventBytesMax: 2_000,
      eventsPerRequestMax: 100,
      bodyBytesMax: 65_536,
      previewRunsMax: 10,
      traceBytesMax: 65_536,
      spansPerRequestMax: 50,
    },
  });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = () => ({
    status: 206,
    body: '[{"op":"Sleep","id":"def","displayName":"nap","name":"1h"}]',
  });
});

after(async () => {
  await server.close();
  await app.close();
});

async function send(method: string, path: string, body?: unknown): Promise<Answer> {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  return ask(server.url, method, path, text === undefined ? {} : { body: text });
}

const hourly = { every: "1h", event: { name: "greet", data: { n: 1 } } };

test("a schedule is made, shown, replaced, changed and deleted", async () => {
  const made = await send("POST", "/v1/schedules", { id: "one", ...hourly });
  assert.equal(made.status, 201);
  const shown = await send("GET", "/v1/schedules/one");
  assert.deepEqual(look(shown.json, "data"), look(made.json, "data"));
  assert.equal(look(shown.json, "data.every"), "1h");
  assert.equal(look(shown.json, "data.overlap"), "allow");
  assert.deepEqual(look(shown.json, "data.event"), { name: "greet", data: { n: 1 } });
  const created = Date.parse(String(look(shown.json, "data.created_at")));
  assert.equal(Date.parse(String(look(shown.json, "data.next_at"))), created + 3_600_000);
  const again = await send("POST", "/v1/schedules", { id: "one", ...hourly });
  assert.deepEqual([again.status, look(again.json, "code")], [409, "schedule_exists"]);
  const put = await send("PUT", "/v1/schedules/one", {
    cron: "30 8 * * 1",
    timezone: "Europe/Berlin",
    function: { id: "shop-greet", data: { tenant: "a" } },
    overlap: "skip",
  });
  assert.equal(put.status, 200);
  assert.deepEqual(
    ["cron", "timezone", "every", "event", "function", "created_at"].map((key) =>
      look(put.json, `data.${key}`),
    ),
    [
      "30 8 * * 1",
      "Europe/Berlin",
      null,
      null,
      { id: "shop-greet", data: { tenant: "a" } },
      look(made.json, "data.created_at"),
    ],
  );
  const patched = await send("PATCH", "/v1/schedules/one", {
    end_at: "2100-01-01T00:00:00Z",
    jitter: 5_000,
    catch_up_window: "2h",
  });
  assert.deepEqual(
    ["cron", "overlap", "jitter", "catch_up_window", "end_at"].map((key) =>
      look(patched.json, `data.${key}`),
    ),
    ["30 8 * * 1", "skip", "5s", "2h", "2100-01-01T00:00:00.000Z"],
  );
  assert.equal((await send("DELETE", "/v1/schedules/one")).status, 200);
  for (const method of ["GET", "DELETE"]) {
    const gone = await send(method, "/v1/schedules/one");
    assert.deepEqual([gone.status, look(gone.json, "code")], [404, "schedule_not_found"]);
  }
  assert.equal((await send("PUT", "/v1/schedules/one", hourly)).status, 201);
  await send("DELETE", "/v1/schedules/one");
});

test("payloads stay the text that arrived", async () => {
  const body =
    '{"id":"big","every":"1h","event":{"name":"greet","data":{"n":12345678901234567890}}}';
  await send("POST", "/v1/schedules", body);
  const response = await fetch(`${server.url}/v1/schedules/big`);
  assert.match(await response.text(), /"data":\{"n":12345678901234567890\}/);
  await send("DELETE", "/v1/schedules/big");
});

test("start now; the run names its schedule; overlap, pause and resume", async () => {
  await send("POST", "/v1/schedules", { id: "now", ...hourly, overlap: "skip" });
  const paused = await send("POST", "/v1/schedules/now/pause", { reason: "holiday" });
  assert.deepEqual(
    ["paused", "pause_reason", "next_at"].map((key) => look(paused.json, `data.${key}`)),
    [true, "holiday", null],
  );
  const started = await send("POST", "/v1/schedules/now/trigger");
  assert.equal(started.status, 200);
  const runId = String(look(started.json, "data.last.run_ids.0"));
  assert.equal(look(started.json, "data.last.manual"), true);
  assert.deepEqual(look(started.json, "data.unended_run_ids"), [runId]);
  const runs = await send("GET", "/v1/runs");
  assert.equal(look(runs.json, "data.runs.0.cron_schedule"), "@every 1h");
  assert.equal(
    look((await send("GET", `/v2/runs/${runId}`)).json, "data.trigger.cronSchedule"),
    "@every 1h",
  );
  assert.equal(look((await send("GET", `/v1/runs/${runId}`)).json, "data.cron"), "@every 1h");
  const busy = await send("POST", "/v1/schedules/now/trigger");
  assert.deepEqual([busy.status, look(busy.json, "code")], [409, "schedule_busy"]);
  await send("DELETE", `/v1/runs/${runId}`);
  const free = await until(
    () => send("GET", "/v1/schedules/now"),
    ({ json }) => lookArray(json, "data.unended_run_ids").length === 0,
  );
  assert.deepEqual([look(free.json, "data.fired"), look(free.json, "data.skipped")], [1, 1]);
  const resumed = await send("POST", "/v1/schedules/now/resume");
  assert.deepEqual(
    [look(resumed.json, "data.paused"), look(resumed.json, "data.pause_reason")],
    [false, null],
  );
  await send("DELETE", "/v1/schedules/now");
});

test("pages by id stay whole while schedules come and go", async () => {
  for (const id of ["c", "a", "e", "B"])
    await send("POST", "/v1/schedules", { id: `p:${id}`, ...hourly, paused: true });
  const seen: unknown[] = [];
  let cursor = "";
  for (;;) {
    const { json } = await send(
      "GET",
      `/v1/schedules?first=1&cursor=${encodeURIComponent(cursor)}`,
    );
    seen.push(look(json, "data.schedules.0.id"));
    if (look(json, "data.has_more") !== true) break;
    cursor = String(look(json, "data.cursor"));
    if (cursor === "p:a") await send("DELETE", "/v1/schedules/p:a");
    if (cursor === "p:a") await send("POST", "/v1/schedules", { id: "p:d", ...hourly });
  }
  assert.deepEqual(seen, ["p:B", "p:a", "p:c", "p:d", "p:e"]);
  for (const id of ["c", "e", "B", "d"]) await send("DELETE", `/v1/schedules/p:${id}`);
});

test("a preview names the next ticks, by the clock of the zone", async () => {
  await send("POST", "/v1/schedules", {
    id: "preview",
    cron: "30 2 * * *",
    timezone: "Europe/Berlin",
    start_at: "2099-03-28T00:00:00Z",
    event: { name: "greet" },
  });
  const { json } = await send("GET", "/v1/schedules/preview/preview?count=3");
  // The clocks go forward on the 29th: 02:30 does not exist.
  assert.deepEqual(look(json, "data.ticks"), [
    "2099-03-28T01:30:00.000Z",
    "2099-03-29T01:00:00.000Z",
    "2099-03-30T00:30:00.000Z",
  ]);
  await send("DELETE", "/v1/schedules/preview");
});

test("what cannot work is refused with a code of its own, and a sentence", async () => {
  const cases: readonly (readonly [object, number, string, RegExp])[] = [
    [{ cron: "61 * * * *" }, 400, "schedule_invalid", /cron line "61 \* \* \* \*"/],
    [{ cron: "* * * * *", timezone: "Mars/Base" }, 400, "schedule_zone_invalid", /Mars\/Base/],
    [{ every: "10ms" }, 400, "schedule_interval_invalid", /from 1s to 366d, not 10 ms/],
    [{ every: "soon" }, 400, "body_invalid", /duration/],
    [{ every: "1h", cron: "* * * * *" }, 400, "body_invalid", /not both/],
    [{ every: "1h", timezone: "UTC" }, 400, "body_invalid", /timezone belongs to cron/],
    [{}, 400, "body_invalid", /cron or every/],
    [{ every: "1h", event: undefined }, 400, "body_invalid", /event or function/],
    [{ every: "1h", overlap: "often" }, 400, "body_invalid", /overlap/],
    [{ every: "1h", surprise: 1 }, 400, "body_invalid", /surprise/],
    [{ every: "1h", id: "no spaces" }, 400, "body_invalid", /letters, digits/],
    [{ every: "1h", id: "x".repeat(101) }, 400, "body_invalid", /100/],
    [{ every: "1h", end_at: "2001-01-01T00:00:00Z" }, 400, "schedule_invalid", /before its end/],
    [
      { every: "1h", event: undefined, function: { id: "shop-gone" } },
      404,
      "function_not_found",
      /shop-gone/,
    ],
    [
      { every: "1h", event: { name: "greet", data: { text: "x".repeat(2_000) } } },
      413,
      "event_too_large",
      /eventBytesMax/,
    ],
    [{ every: "1h", event: { name: "inngest/odd" } }, 400, "event_invalid", /reserved/],
  ];
  for (const [more, status, code, pattern] of cases) {
    const body = { id: "bad", event: { name: "greet" }, ...more };
    const { status: given, json } = await send("POST", "/v1/schedules", body);
    assert.deepEqual([given, look(json, "code")], [status, code], JSON.stringify(more));
    assert.match(String(look(json, "error")), pattern);
  }
  const put = await send("PUT", "/v1/schedules/no%20spaces", hourly);
  assert.deepEqual([put.status, look(put.json, "code")], [400, "parameter_invalid"]);
  assert.deepEqual(lookArray((await send("GET", "/v1/schedules")).json, "data.schedules"), []);
});

test("schedulesMax: the error names the limit, its value and the setting", async () => {
  for (let n = 0; n < 8; n++)
    await send("POST", "/v1/schedules", { id: `n${n}`, ...hourly, paused: true });
  const { status, json } = await send("POST", "/v1/schedules", { id: "n8", ...hourly });
  assert.deepEqual([status, look(json, "code")], [422, "schedules_too_many"]);
  assert.match(String(look(json, "error")), /schedulesMax allows 8.*--schedules-max/);
});

test("a schedule is no way around the scopes of what it does", async (t) => {
  const keyOf = (seed: number): string => apiKeyFrom(Buffer.alloc(32, seed));
  const keys = {
    plain: { key: keyOf(1), scopes: ["schedules:write"] },
    sender: { key: keyOf(2), scopes: ["schedules:write", "events:write"] },
    starter: { key: keyOf(3), scopes: ["schedules:write", "runs:write"] },
    admin: { key: keyOf(4), scopes: ["admin"] },
  } as const;
  const cloud = await startServer({
    store: createMemoryStore(),
    kind: "cloud",
    signingKeys: ["deadbeef"],
    apiKeys: Object.entries(keys).map(([name, { key, scopes }]) => {
      return { name, hash: hashApiKey(key), scopes: [...scopes], expiresAt: null };
    }),
  });
  t.after(() => cloud.close());
  const tried = async (
    who: keyof typeof keys,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<readonly unknown[]> => {
    const headers = { authorization: `Bearer ${keys[who].key}` };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const { status, json } = await ask(cloud.url, method, path, { headers, ...text });
    return [
      status,
      look(json, "code"),
      /lacks the scope (\S+)\./.exec(String(look(json, "error")))?.[1],
    ];
  };
  const denied = (scope: string) => [403, "access_denied", scope];
  const made = [201, undefined, undefined];
  const done = [200, undefined, undefined];
  const list = "/v1/schedules";
  const fn = { every: "1h", function: { id: "shop-greet" } };
  assert.deepEqual(
    await tried("plain", "POST", list, { id: "a", ...hourly }),
    denied("events:write"),
  );
  assert.deepEqual(await tried("starter", "PUT", `${list}/a`, hourly), denied("events:write"));
  assert.deepEqual(await tried("sender", "POST", list, { id: "a", ...hourly }), made);
  assert.deepEqual(await tried("plain", "POST", list, { id: "b", ...fn }), denied("runs:write"));
  assert.deepEqual(await tried("sender", "PUT", `${list}/b`, fn), denied("runs:write"));
  // The function is not registered; that is said to those who may know.
  assert.equal((await tried("starter", "POST", list, { id: "b", ...fn }))[1], "function_not_found");
  const { event } = hourly;
  assert.deepEqual(await tried("plain", "PATCH", `${list}/a`, { event }), denied("events:write"));
  assert.deepEqual(await tried("plain", "POST", `${list}/a/trigger`), denied("events:write"));
  // When it does it is the matter of schedules alone.
  assert.deepEqual(await tried("plain", "PATCH", `${list}/a`, { every: "2h" }), done);
  assert.deepEqual(await tried("plain", "POST", `${list}/a/pause`, {}), done);
  assert.deepEqual(await tried("plain", "POST", `${list}/a/resume`), done);
  assert.deepEqual(await tried("sender", "POST", `${list}/a/trigger`), done);
  assert.deepEqual(await tried("admin", "PATCH", `${list}/a`, { event }), done);
});
