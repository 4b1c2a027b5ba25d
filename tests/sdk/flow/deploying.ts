// Apps that come to a server that runs: one that is deployed again with another limit, and some
// that are refused.
import assert from "node:assert/strict";
import type { Api } from "../../support/api.ts";
import { eventually } from "../../support/poll.ts";
import { AppProcess } from "../app-process.ts";
import type { Flavour } from "../flavours.ts";
import { registered } from "../registered.ts";
import { refused } from "./refused.ts";

const maximum = (notes: readonly unknown[]): number => Math.max(0, ...notes.map(Number));

/** Runs that began under a limit of 1 end under one of 3, in the app's next process. */
export async function redeploys(flavour: Flavour, api: Api): Promise<void> {
  const start = (functions: "before-redeploy" | "redeployed") =>
    AppProcess.start({ flavour, appId: "redeploy", functions, serverUrl: api.url });
  const apps = await Promise.all([start("before-redeploy"), start("redeployed")]);
  const [before, after] = apps;
  try {
    await fetch(before.url, { method: "PUT" });
    await registered(api, ["redeploy"]);
    const sent = await Promise.all(
      [1, 2, 3].map(() => api.sendOne({ name: "redeploy/grown", data: {} })),
    );
    await eventually("all began", async () => (await before.notes("grown at once")).length >= 3);
    await fetch(after.url, { method: "PUT" });
    const runs = (await Promise.all(sent.map((id) => api.ended(id)))).flat();
    assert.deepEqual(new Set(runs.map(({ status }) => status)), new Set(["Completed"]));
    assert.equal(maximum(await before.notes("grown at once")), 1);
    assert.ok(maximum(await after.notes("grown at once")) > 1, "the new limit is not used");
  } finally {
    await Promise.all(apps.map((app) => app.stop()));
  }
}

/** The SDK hands on what the server says to its registration. */
export async function refuses(flavour: Flavour, api: Api): Promise<void> {
  const app = await AppProcess.start({
    flavour,
    appId: "refused",
    functions: "refused",
    serverUrl: api.url,
  });
  try {
    for (const [index, [, sentence]] of refused.entries()) {
      const answer = await fetch(`${app.url}/${String(index)}`, { method: "PUT" });
      const { message } = (await answer.json()) as { message: string }; // proof: what SDKs answer
      assert.ok(!answer.ok, `it was accepted: ${message}`);
      assert.match(message, sentence);
    }
  } finally {
    await app.stop();
  }
}
