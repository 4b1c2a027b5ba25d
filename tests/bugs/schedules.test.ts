// Schedules on a real server that is killed: no tick is lost or comes twice, and none comes for an
// app that has gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { returned, WireApp } from "./wire-app.ts";

const second = 1_000;

test("bug class 14: ticks survive a kill, each starts one run, and end with their app", async (t) => {
  const app = await WireApp.start("ticks", [{ id: "f", cron: "* * * * * *" }], () => returned(1));
  t.after(() => app.close());
  let server = await PawlServer.start();
  t.after(() => server.stop("SIGKILL"));
  const seen = (count: number) =>
    eventually(`${String(count)} ticks`, () => app.calls.length >= count, { withinMs: 20_000 });
  await app.register(server.url);
  await seen(3);
  await server.stop("SIGKILL");
  const before = app.calls.length;
  server = await server.restart();
  await seen(before + 3);

  for (const { event } of app.calls) {
    assert.equal(event.name, "inngest/scheduled.timer");
    assert.deepEqual(event.data, { cron: "* * * * * *" });
    assert.equal(event.ts % second, 0);
  }
  // A call that was out when the server died is made again, for the same run.
  const runs = new Map(app.calls.map(({ runId, event }) => [runId, event]));
  assert.equal(new Set([...runs.values()].map(({ ts }) => ts)).size, runs.size, "one run a tick");
  assert.equal(new Set([...runs.values()].map(({ id }) => id)).size, runs.size, "one id a tick");

  const without = await WireApp.start("ticks", [{ id: "g", event: "bugs/none" }], () =>
    returned(1),
  );
  t.after(() => without.close());
  await without.register(server.url);
  await eventually("what was on its way has come", async () => {
    const count = app.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 2 * second));
    return app.calls.length === count;
  });
  await server.stop();
});
