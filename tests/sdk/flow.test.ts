// Flow control as apps on the published SDK ask for it: each option once, seen from outside.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { PawlServer } from "../support/pawl-server.ts";
import type { RunInfo } from "../support/api.ts";
import { AppProcess } from "./app-process.ts";
import { statuses } from "./flow/flow-scenario.ts";
import { backlogMax } from "./flow/holding.ts";
import { flowScenarios } from "./flow/scenarios.ts";
import { redeploys, refuses } from "./flow/deploying.ts";
import { registered } from "./registered.ts";

for (const flavour of ["js4", "js3", "pawl"] as const) {
  suite(`flow control of ${flavour}`, { concurrency: true, timeout: 60_000 }, () => {
    let running: { readonly server: PawlServer; readonly app: AppProcess } | null = null;

    before(async () => {
      const most = String(backlogMax);
      const flags = ["--retry-interval", "1", "--log-level", "error", "--backlog-max", most];
      const server = await PawlServer.start({ flags });
      const app = await AppProcess.start({
        flavour,
        appId: "flow",
        functions: "flow",
        serverUrl: server.url,
      });
      running = { server, app };
      await fetch(app.url, { method: "PUT" });
      await registered(server.api, ["flow"]);
    });
    after(async () => {
      await running?.app.stop();
      await running?.server.stop();
    });

    function parts() {
      assert.ok(running !== null, "the server did not start");
      return { api: running.server.api, app: running.app };
    }

    /** Sends events in one request, so that they arrive in order and at once; the run of each. */
    async function runsOf(name: string, datas: readonly object[]): Promise<RunInfo[]> {
      const { api } = parts();
      const ids = await api.send(
        datas.map((data) => ({ name: `flow/${name}`, data: { ...data } })),
      );
      const runs = await Promise.all(ids.map((id) => api.ended(id)));
      return runs.flat();
    }

    for (const { says, check } of flowScenarios) {
      test(says, () => {
        const { api, app } = parts();
        return check({ flavour, api, app, runsOf, notes: (key) => app.notes(key) });
      });
    }

    test("a limit that a redeploy changes holds for runs that have started", () =>
      redeploys(flavour, parts().api));

    // Our own SDK refuses them when they are defined.
    if (flavour !== "pawl") {
      test("options that cannot work are refused at sync", () => refuses(flavour, parts().api));
    }

    test("concurrency with a key", async () => {
      const runs = await runsOf(
        "keyed",
        ["a", "a", "a", "b"].map((user) => ({ user })),
      );
      assert.deepEqual(new Set(statuses(runs)), new Set(["Completed"]));
      const notes = await parts().app.notes("at once");
      assert.equal(notes.length, 8);
      assert.deepEqual(new Set(notes), new Set([1]));
    });

    test("throttle", async () => {
      const starts = (await runsOf("throttled", [{}, {}])).map(({ output }) => Number(output));
      const gap = (starts[1] ?? 0) - (starts[0] ?? 0);
      // Measured in the app: less than the period, for a first call may be long on its way.
      assert.ok(gap > 1_000, `${gap} ms apart`);
    });

    test("rate limit", async () => {
      const runs = await runsOf("limited", [{}, {}, {}]);
      assert.deepEqual(statuses(runs), ["Completed", "Completed", "Skipped"]);
    });

    test("idempotency", async () => {
      const { api, app } = parts();
      const [first] = await runsOf("once", [{ order: 1 }]);
      assert.equal(first?.status, "Completed");
      const again = await api.sendOne({ name: "flow/once", data: { order: 1 } });
      await runsOf("once", [{ order: 2 }]);
      assert.deepEqual(await api.runsOf(again), []);
      assert.equal((await app.notes("once")).length, 2);
    });

    test("debounce", async () => {
      const { api } = parts();
      const ids: string[] = [];
      for (const n of [1, 2, 3]) ids.push(await api.sendOne({ name: "flow/last", data: { n } }));
      const [run] = await api.ended(ids[2] ?? "");
      assert.deepEqual(run?.output, { n: 3 });
      assert.deepEqual(await api.runsOf(ids[0] ?? ""), []);
    });

    test("batching", async () => {
      const runs = await runsOf(
        "batch",
        [1, 2, 3, 4].map((n) => ({ n })),
      );
      assert.deepEqual(
        runs.map(({ output }) => output),
        [[1, 2, 3], [1, 2, 3], [1, 2, 3], [4]],
      );
    });

    test("singleton: skip and cancel", async () => {
      assert.deepEqual(statuses(await runsOf("single", [{}, {}])), ["Completed", "Skipped"]);
      assert.deepEqual(statuses(await runsOf("newest", [{}, {}])), ["Cancelled", "Completed"]);
    });

    test("cancelOn", async () => {
      const { api } = parts();
      const ids: string[] = [];
      for (const id of [1, 2])
        ids.push(await api.sendOne({ name: "flow/cancelled", data: { id } }));
      await api.send({ name: "flow/stop", data: { id: 2 } });
      const runs = await Promise.all(ids.map((id) => api.ended(id)));
      assert.deepEqual(statuses(runs.flat()), ["Completed", "Cancelled"]);
    });

    test("timeouts", async () => {
      assert.deepEqual(statuses(await runsOf("late", [{}])), ["Cancelled"]);
    });
  });
}
