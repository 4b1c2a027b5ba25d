// Schedules that an app of the `pawl` SDK makes at runtime, on a real server that is killed: with
// catch-up `all` no tick is lost, and none comes twice.
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { test, type TestContext } from "node:test";
import { Pawl, PawlError, type PawlFunction } from "pawl";
import { serve } from "pawl/node";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { freePort } from "../support/ports.ts";

const second = 1_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function serveApp(t: TestContext, client: Pawl, fn: PawlFunction, port: number) {
  const server: Server = createServer(serve({ client, functions: [fn] }));
  await new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", resolve);
  });
  t.after(() => server.close());
}

test("ticks of a tenant's schedule survive a kill: each starts one run, none is lost", async (t) => {
  const appPort = await freePort();
  const port = await freePort();
  const pawl = new Pawl({
    id: "tenants",
    isDev: true,
    baseUrl: `http://127.0.0.1:${String(port)}`,
    logger: quiet,
  });
  const ticks = new Map<string, number>();
  const since = new Date("2026-01-01T00:00:00Z");
  const report = pawl.createFunction(
    { id: "report", triggers: { event: "tenant/report.due" } },
    ({ event, runId }) => {
      assert.deepEqual(event.data, { tenant: "acme", since });
      ticks.set(runId, event.ts);
    },
  );
  await serveApp(t, pawl, report, appPort);
  const apps = [`http://127.0.0.1:${String(appPort)}/api/pawl`];
  let server = await PawlServer.start({ port, apps });
  t.after(() => server.stop("SIGKILL"));
  await eventually("the app is known", async () =>
    JSON.stringify(await (await fetch(`${server.url}/v1/functions`)).json()).includes("report"),
  );
  const made = await pawl.schedules.create({
    id: "acme:report",
    every: "1s",
    event: { name: "tenant/report.due", data: { tenant: "acme", since } },
    catchUp: "all",
  });
  const seen = (count: number) =>
    eventually(`${String(count)} ticks`, () => ticks.size >= count, { withinMs: 30 * second });
  await seen(2);
  for (let kills = 0; kills < 2; kills += 1) {
    await server.stop("SIGKILL");
    const before = ticks.size;
    await new Promise((resolve) => setTimeout(resolve, 2 * second));
    server = await server.restart();
    await seen(before + 4);
  }
  await pawl.schedules.pause("acme:report", { reason: "enough" });
  const shown = await eventually("all runs have been called", async () => {
    const found = await pawl.schedules.get("acme:report");
    return found !== null && ticks.size === found.fired ? found : false;
  });
  assert.deepEqual([shown.missed, shown.skipped, shown.pauseReason], [0, 0, "enough"]);
  const times = [...ticks.values()].toSorted((a, b) => a - b);
  const first = made.createdAt.getTime() + second;
  assert.deepEqual(
    times,
    times.map((_, index) => first + index * second),
    "each tick once, without a gap",
  );
  const list = (await (await fetch(`${server.url}/v1/runs?first=1`)).json()) as {
    readonly data: { readonly runs: readonly { readonly cron_schedule: string }[] };
  }; // proof: what the route documents
  assert.equal(list.data.runs[0]?.cron_schedule, "@every 1s");
  await server.stop();
});

test("schedules are managed with the signing key, and refusals come with their codes", async (t) => {
  const signingKey = "signkey-test-0123456789abcdef";
  const server = await PawlServer.start({ command: "start", signingKey });
  t.after(() => server.stop("SIGKILL"));
  const connection = { id: "tenants", baseUrl: server.url, logger: quiet } as const;
  const { schedules } = new Pawl({ ...connection, signingKey });
  const event = { name: "tenant/due" };
  const made = await schedules.create({
    id: "b",
    cron: "0 9 * * *",
    timezone: "Asia/Tokyo",
    event,
  });
  assert.equal(made.nextAt?.toISOString().slice(11), "00:00:00.000Z");
  const refusedWith = (code: string) => (error: unknown) =>
    error instanceof PawlError && error.code === code;
  await assert.rejects(
    schedules.create({ id: "b", every: "1m", event }),
    refusedWith("schedule_exists"),
  );
  await assert.rejects(schedules.update("b", { every: "1ms" }), refusedWith("schedule_refused"));
  await assert.rejects(schedules.pause("c"), refusedWith("schedule_not_found"));
  await schedules.upsert({ id: "a", every: "1h", event, paused: true });
  const page = await schedules.list({ first: 1 });
  const rest = await schedules.list({ cursor: page.cursor });
  assert.deepEqual(
    [...page.schedules, ...rest.schedules].map(({ id, paused }) => [id, paused]),
    [
      ["a", true],
      ["b", false],
    ],
  );
  assert.equal((await schedules.trigger("a")).last?.manual, true);
  assert.equal((await schedules.preview("b", 3)).length, 3);
  assert.equal(await schedules.delete("b"), true);
  assert.equal(await schedules.delete("b"), false);
  const stranger = new Pawl({ ...connection, signingKey: "signkey-test-ffff" });
  await assert.rejects(stranger.schedules.get("a"), refusedWith("schedule_refused"));
  await server.stop();
});
