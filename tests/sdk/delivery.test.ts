// How calls reach apps and answers come back: streamed, through a proxy that gives up, to an app
// that moves; and how apps get known. One development server, one app a case.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import type { AppSettings } from "./app/messages.ts";
import { AppProcess } from "./app-process.ts";
import { startProxy } from "./cloud/impatient-proxy.ts";
import { flavours, type Flavour } from "./flavours.ts";
import { knownApps, registered } from "./registered.ts";

interface SyncAnswer {
  readonly status: number;
  readonly modified: unknown;
}

suite("delivery", { concurrency: 3, timeout: 120_000 }, () => {
  let server: PawlServer | null = null;
  const running: { stop(): Promise<unknown> }[] = [];

  before(async () => {
    server = await PawlServer.start({
      flags: ["--retry-interval", "1", "--log-level", "error", "--poll-interval", "1"],
    });
    running.push(server);
  });
  after(async () => {
    await Promise.all(running.map((each) => each.stop()));
  });

  function theServer(): PawlServer {
    assert.ok(server !== null, "the server did not start");
    return server;
  }

  async function startApp(
    flavour: Flavour,
    appId: string,
    more: Partial<AppSettings> = {},
  ): Promise<AppProcess> {
    const app = await AppProcess.start({
      flavour,
      appId,
      functions: "cloud",
      serverUrl: theServer().url,
      ...more,
    });
    running.push(app);
    return app;
  }

  async function outputOf(event: string): Promise<unknown> {
    const run = await theServer().api.runOf({ name: event });
    assert.equal(run.status, "Completed", JSON.stringify(run.output));
    return run.output;
  }

  for (const flavour of ["js4", "js4-no-checkpoint", "js3"] as const) {
    test(`${flavour}: answers may be streamed`, async () => {
      const appId = `streaming-${flavour}`;
      const app = await startApp(flavour, appId, { streaming: true });
      await sync(app.url);
      assert.equal(await outputOf(`${appId}/steps`), 3);
      const failed = await theServer().api.runOf({ name: `${appId}/fails` });
      assert.equal(failed.status, "Failed");
      assert.equal((failed.output as Error).message, "it fails"); // proof: the output of a failed run
      const calls = await app.calls(`${appId}-steps`);
      assert.deepEqual(new Set(calls.map(({ status }) => status)), new Set([201]));
    });
  }

  for (const flavour of flavours) {
    test(`${flavour}: a call that a proxy gave up is made again; late results are not doubled`, async () => {
      const appId = `doubled-${flavour}`;
      const app = await startApp(flavour, appId);
      const proxy = await startProxy(() => Number(new URL(app.url).port), 1_000);
      running.push({ stop: () => proxy.close() });
      const url = new URL(app.url);
      url.port = String(proxy.port);
      await sync(url.href);

      assert.deepEqual(await outputOf(`${appId}/doubled`), ["a", "b", "c", "d"]);
      assert.equal(proxy.timeouts(), 1);
      const counts: Record<string, number> = {};
      for (const name of ["a", "b", "c", "d"]) {
        counts[name] = (await app.notes(`doubled ${name}`)).length;
      }
      assert.deepEqual(counts, { a: 2, b: 1, c: 1, d: 1 });
    });

    test(`${flavour}: the first sync says modified, the same again does not`, async () => {
      const appId = `syncing-${flavour}`;
      const app = await startApp(flavour, appId);
      assert.deepEqual(await sync(app.url), { status: 200, modified: true });
      assert.deepEqual(await sync(app.url), { status: 200, modified: false });
      const known = (await knownApps(theServer().api)).find(({ name }) => name === appId);
      assert.equal(known?.functions.length, 5);
    });

    test(`${flavour}: an app that moves while a run sleeps is called at its new place`, async () => {
      const appId = `moving-${flavour}`;
      const first = await startApp(flavour, appId);
      await sync(first.url);
      const { api } = theServer();
      const naps = await api.sendOne({ name: `${appId}/naps` });
      await eventually("it naps", async () => (await first.notes("naps")).length > 0);
      const second = await startApp(flavour, appId);
      assert.deepEqual(await sync(second.url), { status: 200, modified: true });
      await first.stop();
      const run = await api.endedBySending(naps, [{ name: `${appId}/wake` }]);
      assert.equal(run.status, "Completed", JSON.stringify(run.output));
      assert.equal(run.output, second.child.pid);
    });
  }

  test("apps named on the command line are known once they answer", async () => {
    const { api } = theServer();
    const app = await startApp("js4", "named");
    const other = await PawlServer.start({
      apps: [app.url],
      flags: ["--log-level", "error", "--poll-interval", "1"],
    });
    running.push(other);
    await registered(other.api, ["named"]);
    const known = (await knownApps(api)).map(({ name }) => name);
    assert.ok(!known.includes("named"), "only the server that asked got to know it");
  });
});

/** Asks the app to register itself, as a deploy hook does. */
async function sync(url: string): Promise<SyncAnswer> {
  const answer = await fetch(url, { method: "PUT", signal: AbortSignal.timeout(20_000) });
  const body = (await answer.json()) as { modified: unknown }; // proof: protocol.md 1.2
  return { status: answer.status, modified: body.modified };
}
