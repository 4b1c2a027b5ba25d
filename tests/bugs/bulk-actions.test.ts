// A process that dies in the middle of a bulk action, as real processes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { examine } from "../crash/doctor.ts";
import { returned, WireApp } from "./wire-app.ts";

/** More than a page of the server, so that it takes several. */
const runCount = 700;

let app: WireApp;

before(async () => {
  app = await WireApp.start("bulk", [{ id: "f", event: "bugs/bulk" }], ({ event }) =>
    returned(event.data["n"]),
  );
});

after(() => app.close());

interface Progress {
  readonly id: string;
  readonly state: string;
  readonly matched: number;
  readonly done: number;
  readonly failed: number;
}

async function progressOf(server: PawlServer, id: string): Promise<Progress> {
  const { body } = await server.api.request("GET", `/v1/bulk/${id}`);
  return (body as { data: Progress }).data; // proof: the documented answer
}

async function completed(server: PawlServer): Promise<number> {
  const { body } = await server.api.request("GET", "/v1/runs/counts?status=COMPLETED");
  return (body as { data: { count: number } }).data.count; // proof: the documented answer
}

test("kill -9 in the middle of a bulk rerun: the next process ends it, and no run is repeated twice", async () => {
  const first = await PawlServer.start({ flags: ["--retry-interval", "0"] });
  await app.register(first.url);
  const events = Array.from({ length: runCount }, (_, n) => ({ name: "bugs/bulk", data: { n } }));
  await first.api.send(events);
  await eventually("all runs have ended", async () => (await completed(first)) === runCount, {
    withinMs: 30_000,
  });
  const request = { action: "rerun", filter: { statuses: ["COMPLETED"] } };
  const { status, body } = await first.api.request("POST", "/v1/bulk", request);
  assert.equal(status, 200, JSON.stringify(body));
  const { id } = (body as { data: Progress }).data; // proof: the documented answer
  await eventually("it has begun", async () => (await progressOf(first, id)).done > 0, {
    everyMs: 5,
  });
  first.child.kill("SIGKILL");
  await first.child.exited;

  const second = await first.restart();
  const begun = await progressOf(second, id);
  assert.ok(begun.done < runCount, "it was killed in the middle");
  const ended = await eventually(
    "the action has ended",
    async () => {
      const now = await progressOf(second, id);
      return now.state === "completed" && now;
    },
    { withinMs: 30_000 },
  );
  assert.deepEqual([ended.matched, ended.done, ended.failed], [runCount, runCount, 0]);
  await eventually(
    "the repeats have ended",
    async () => (await completed(second)) >= 2 * runCount,
    {
      withinMs: 30_000,
    },
  );
  assert.equal(await completed(second), 2 * runCount);
  const calls = new Map<unknown, Set<string>>();
  for (const call of app.calls) {
    const runs = calls.get(call.event.data["n"]) ?? new Set<string>();
    calls.set(call.event.data["n"], runs.add(call.runId));
  }
  assert.deepEqual(new Set([...calls.values()].map(({ size }) => size)), new Set([2]));
  assert.equal((await second.stop()).code, 0);
  const { code, unfinished, output } = await examine(second.dir);
  assert.deepEqual([code, unfinished], [0, 0], output);
});
