// `pawl runs` against a real server in this process.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, look, lookArray, until } from "@pawl/server/http/test-client";
import { startServer, type PawlServer } from "@pawl/server/server";
import { register, startAppStub, type AppStub } from "@pawl/server/sync/app-stub";
import { createMemoryStore } from "@pawl/store/memory-store";
import { run } from "../main.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) =>
    look(call, "event.data.fail") === true
      ? { status: 400, body: '{"name":"Boom","message":"no"}' }
      : { status: 206, body: '[{"op":"Sleep","id":"def","displayName":"nap","name":"1h"}]' };
});

after(async () => {
  await server.close();
  await app.close();
});

interface Outcome {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: string;
}

/** `answer`: what a person at the terminal says; null: there is none. */
async function pawl(args: readonly string[], answer: string | null = null): Promise<Outcome> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(["runs", ...args, "--url", server.url], {
    environment: {},
    directory: ".",
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
    isInteractive: answer !== null,
    ask: async () => answer ?? "",
    readInput: async () => "",
  });
  return { code, out, err: err.join("\n") };
}

async function runsOf(status: string): Promise<number> {
  const { json } = await ask(server.url, "GET", `/v2/runs?limit=100&status=${status}`);
  return lookArray(json, "data").length;
}

async function send(data: object, count: number): Promise<void> {
  const body = JSON.stringify(Array.from({ length: count }, () => ({ name: "greet", data })));
  assert.equal((await ask(server.url, "POST", "/e/key", { body })).status, 200);
  await until(
    () => app.calls.length,
    (calls) => calls >= count,
  );
}

test("runs are counted, and cancelled only when somebody says so", async () => {
  await send({ n: 1 }, 3);
  await until(
    () => runsOf("RUNNING"),
    (count) => count === 3,
  );
  const chosen = ["cancel", "--function", "shop-greet", "--since", "1h"];
  const counted = await pawl([...chosen, "--dry-run"]);
  assert.deepEqual([counted.code, counted.out[0], counted.out.length], [0, "3 runs", 4]);
  const refused = await pawl(chosen);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /Say --yes/);
  assert.deepEqual(await pawl(chosen, "n"), {
    code: 1,
    out: ["cancel: 3 runs"],
    err: "Nothing was done.",
  });
  assert.equal(await runsOf("RUNNING"), 3);
  const done = await pawl(chosen, "y");
  assert.equal(done.code, 0, done.err);
  assert.equal(done.out.at(-1), "3 of 3 done, 0 failed, 3 looked at (completed)");
  assert.equal(await runsOf("CANCELLED"), 3);
  assert.deepEqual((await pawl([...chosen, "--yes"])).out, ["cancel: 0 runs"]);
});

test("failed runs are started again; programs get JSON", async () => {
  await send({ fail: true }, 2);
  await until(
    () => runsOf("FAILED"),
    (count) => count === 2,
  );
  const { code, out } = await pawl(["rerun", "--app", "shop", "--yes", "--json"]);
  assert.equal(code, 0);
  assert.equal(look(JSON.parse(out.join("")), "done"), 2);
  await until(
    () => runsOf("FAILED"),
    (count) => count === 4,
  );
});

test("what cannot be meant is said", async () => {
  for (const [args, code, message] of [
    [[], 2, /Say what to do/],
    [["remove"], 2, /Say what to do/],
    [["cancel", "--yes"], 1, /filter is empty/],
    [["cancel", "--since", "often"], 2, /--since must be a time/],
    [["cancel", "--function", "nothing"], 1, /no function or app "nothing"/],
  ] as const) {
    const outcome = await pawl(args);
    assert.equal(outcome.code, code, args.join(" "));
    assert.match(outcome.err, message);
  }
});
