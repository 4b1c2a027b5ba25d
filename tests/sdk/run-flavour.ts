// Runs all scenarios of one flavour: one server, its app and the partner's app, every scenario at
// the same time as the others.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { PawlServer } from "../support/pawl-server.ts";
import { freePort } from "../support/ports.ts";
import { partnerAppId } from "./app/partner.ts";
import { AppProcess } from "./app-process.ts";
import { registered } from "./registered.ts";
import { partnerOf, type Flavour } from "./flavours.ts";
import type { World } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";

const appId = "app";

/** Declares the tests of a flavour. */
export function runFlavour(flavour: Flavour): void {
  const wanted = scenarios.filter(({ only }) => only === undefined || only.includes(flavour));
  suite(flavour, { concurrency: wanted.length, timeout: 120_000 }, () => {
    let world: World | null = null;
    let stop = async (): Promise<void> => {};
    before(async () => {
      ({ world, stop } = await startWorld(flavour));
    });
    after(() => stop());
    for (const scenario of wanted) {
      test(scenario.says, async () => {
        assert.ok(world !== null, "the server or an app did not start");
        await scenario.check(world);
      });
    }
  });
}

async function startWorld(flavour: Flavour): Promise<{ world: World; stop: () => Promise<void> }> {
  const port = await freePort();
  const serverUrl = `http://127.0.0.1:${String(port)}`;
  const running: { stop(): Promise<unknown> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((each) => each.stop()));
  };
  try {
    const app = await AppProcess.start({ flavour, serverUrl, appId });
    running.push(app);
    const partner = await AppProcess.start({
      flavour: partnerOf[flavour],
      serverUrl,
      appId: partnerAppId,
      functions: "partner",
    });
    running.push(partner);
    const server = await PawlServer.start({
      port,
      apps: [app.url, partner.url],
      flags: ["--retry-interval", "1", "--log-level", "error"],
    });
    running.push(server);
    await registered(server.api, [appId, partnerAppId]);
    return { world: worldOf(flavour, server, app, partner), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function worldOf(
  flavour: Flavour,
  server: PawlServer,
  app: AppProcess,
  partner: AppProcess,
): World {
  const { api } = server;
  const runOf: World["runOf"] = (name, data = {}) => api.runOf({ name, data });
  return {
    flavour,
    api,
    app,
    partner,
    runOf,
    outputOf: async (name, data) => {
      const run = await runOf(name, data);
      assert.equal(run.status, "Completed", JSON.stringify(run.output));
      return run.output;
    },
    notes: (key) => app.notes(key),
    callCount: async (functionId) => (await app.calls(`${appId}-${functionId}`)).length,
  };
}
