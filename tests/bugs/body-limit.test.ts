// Checkpoints larger than the server takes: the app hears a documented refusal, brings the step
// with its answer instead, and the run ends. With both SDKs on a real server.
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { Inngest } from "inngest";
import { serve as serveInngest } from "inngest/node";
import { Pawl } from "pawl";
import { serve as servePawl } from "pawl/node";
import { PawlServer } from "../support/pawl-server.ts";
import { freePort } from "../support/ports.ts";
import { functionsKnown } from "../crash/campaign.ts";

const bodyBytesMax = 65_536;
const outputCharsMax = 300_000;
const fits = bodyBytesMax * 2;
const tooLong = outputCharsMax + 1;

let server: PawlServer;
const apps: Server[] = [];
/** How often each step ran, by SDK, step and length. */
const ran = new Map<string, number>();
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function listen(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const app = createServer(listener);
  apps.push(app);
  await new Promise<void>((resolve) => {
    app.listen(0, "127.0.0.1", resolve);
  });
  const { port } = app.address() as AddressInfo; // proof: a TCP server that listens has one
  return `http://127.0.0.1:${String(port)}/api/inngest`;
}

/** A small step, one of `length`, a small one; what became of them. */
async function body(
  run: (id: string, code: () => string) => Promise<string>,
  sdk: string,
  length: number,
): Promise<unknown> {
  const step = (id: string, text: string): Promise<string> =>
    run(id, () => {
      const key = `${sdk} ${id} ${String(length)}`;
      ran.set(key, (ran.get(key) ?? 0) + 1);
      return text;
    });
  await step("before", "b");
  const outcome = await step("large", "x".repeat(length)).then(
    (text) => text.length,
    (error: unknown) => String(error),
  );
  return [outcome, await step("behind", "a")];
}

function lengthOf(event: { readonly data: unknown }): number {
  return (event.data as { length: number }).length; // proof: the tests below send it
}

before(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const pawl = new Pawl({ id: "limit-pawl", isDev: true, baseUrl: url, logger: quiet });
  const inngest = new Inngest({ id: "limit-inngest", isDev: true, baseUrl: url, logger: quiet });
  const ofPawl = pawl.createFunction(
    { id: "f", retries: 2 },
    { event: "bugs/pawl" },
    ({ event, step }) => body((id, code) => step.run(id, code), "pawl", lengthOf(event)),
  );
  const ofInngest = inngest.createFunction(
    { id: "f", retries: 2, triggers: [{ event: "bugs/inngest" }] },
    ({ event, step }) => body((id, code) => step.run(id, code), "inngest", lengthOf(event)),
  );
  const urls = [
    await listen(servePawl({ client: pawl, functions: [ofPawl] })),
    await listen(serveInngest({ client: inngest, functions: [ofInngest] })),
  ];
  const limits = [
    "--body-bytes-max",
    String(bodyBytesMax),
    "--step-output-chars-max",
    String(outputCharsMax),
  ];
  server = await PawlServer.start({
    port,
    apps: urls,
    flags: ["--retry-interval", "0", "--no-poll", ...limits],
  });
  await functionsKnown(url, 2);
});

after(async () => {
  await server.stop();
  for (const app of apps) {
    app.closeAllConnections();
    app.close();
  }
});

test("bug class 16: a checkpoint over the limit is refused with the documented error", async () => {
  const steps = [{ id: "a", op: "StepRun", data: "x".repeat(fits) }];
  const { status, body: answer } = await server.api.request(
    "POST",
    "/v1/checkpoint/01M805BZQC09NFEZWG9TZ2K2WP/async",
    { run_id: "01M805BZQC09NFEZWG9TZ2K2WP", fn_id: "", qi_id: "step", steps, ts: 1 },
  );
  assert.equal(status, 413);
  // proof: the one shape of refusals
  const { code, error } = answer as { code: string; error: string };
  assert.equal(code, "body_too_large");
  assert.match(error, /65536 bytes/);
});

for (const sdk of ["pawl", "inngest"]) {
  test(`bug class 16: a step whose checkpoint is over the limit comes with the answer (${sdk})`, async () => {
    const run = await server.api.runOf({ name: `bugs/${sdk}`, data: { length: fits } });
    assert.deepEqual([run.status, run.output], ["Completed", [fits, "a"]]);
    for (const id of ["before", "large", "behind"])
      assert.equal(ran.get(`${sdk} ${id} ${String(fits)}`), 1, id);
  });

  test(`bug class 16: a step over the limit of outputs fails with an error that user code catches (${sdk})`, async () => {
    const run = await server.api.runOf({ name: `bugs/${sdk}`, data: { length: tooLong } });
    assert.equal(run.status, "Completed");
    assert.match(JSON.stringify(run.output), /300000.*stepOutputCharsMax/);
  });
}
