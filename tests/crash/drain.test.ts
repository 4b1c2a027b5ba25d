// A server that is asked to stop while calls are in flight.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { opcodes, memoOf, returned, stepRun, WireApp, type WireCall } from "../bugs/wire-app.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { examine } from "./doctor.ts";

let app: WireApp;
/** Calls wait for it. */
let gate: PromiseWithResolvers<void>;

async function twoSteps(call: WireCall) {
  if (memoOf(call, "a") === undefined) {
    await gate.promise;
    return opcodes(stepRun("a", "a"));
  }
  return memoOf(call, "b") === undefined ? opcodes(stepRun("b", "b")) : returned("done");
}

before(async () => {
  app = await WireApp.start("drain", [{ id: "f", event: "crash/drain" }], twoSteps);
});

beforeEach(() => {
  app.calls.length = 0;
  gate = Promise.withResolvers();
});

after(() => app.close());

const count = 20;

/** Starts a server and so many runs, whose first calls are all in flight. */
async function inFlight(flags: readonly string[] = []) {
  const server = await PawlServer.start({ flags: ["--retry-interval", "0", ...flags] });
  await app.register(server.url);
  const events = Array.from({ length: count }, () => ({ name: "crash/drain" }));
  const eventIds = await server.api.send(events);
  await eventually("all are called", () => app.calls.length === count);
  return { server, eventIds };
}

/** Starts it again; all runs end, and nothing is left. */
async function endsAfterRestart(server: PawlServer, eventIds: readonly string[]): Promise<void> {
  const next = await server.restart();
  for (const eventId of eventIds) {
    const [run] = await next.api.ended(eventId);
    assert.deepEqual([run?.status, run?.output], ["Completed", "done"]);
  }
  assert.equal((await next.stop()).code, 0);
  const { code, unfinished, output } = await examine(next.dir);
  assert.deepEqual([code, unfinished], [0, 0], output);
}

test("SIGTERM: calls in flight end, their results are kept, new events are refused, exit code 0", async () => {
  const { server, eventIds } = await inFlight();
  server.child.kill("SIGTERM");
  const refused = await eventually("events are refused", async () => {
    const answer = await server.api.request("POST", "/e/test", { name: "crash/nobody" });
    return answer.status === 503 && answer;
  });
  // proof: the one shape of refusals
  assert.equal((refused.body as { code: string }).code, "draining");
  gate.resolve();
  assert.deepEqual(await server.child.exited, { code: 0, signal: null });
  assert.equal(app.calls.length, count, "nothing is begun while stopping");
  await endsAfterRestart(server, eventIds);
  // One call each for the first step, the second, and the end: no step was called for again.
  assert.equal(app.calls.length, count * 3);
});

test("SIGTERM: calls that do not end in time are handed over to the next server, exit code 0", async () => {
  const { server, eventIds } = await inFlight(["--drain-timeout", "1"]);
  server.child.kill("SIGTERM");
  assert.deepEqual(await server.child.exited, { code: 0, signal: null });
  gate.resolve();
  await endsAfterRestart(server, eventIds);
});

test("a second signal ends the server at once, and nothing is lost", async () => {
  const { server, eventIds } = await inFlight();
  server.child.kill("SIGTERM");
  await eventually("it is stopping", () => server.output.includes("stopping"));
  server.child.kill("SIGTERM");
  assert.deepEqual(await server.child.exited, { code: 1, signal: null });
  gate.resolve();
  await endsAfterRestart(server, eventIds);
});
