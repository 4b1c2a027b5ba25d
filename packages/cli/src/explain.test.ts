// `pawl explain` against a real server, and against the store of one that is stopped.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, look, until } from "@pawl/server/http/test-client";
import { startServer } from "@pawl/server/server";
import { register, startAppStub } from "@pawl/server/sync/app-stub";
import { createMemoryStore } from "@pawl/store/memory-store";
import { createSqliteStore } from "@pawl/store-sqlite/sqlite-store";
import { run } from "./main.ts";
import { storePath } from "./store-path.ts";

const folder = mkdtempSync(join(tmpdir(), "pawl-explain-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function pawl(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(args, {
    environment: env,
    directory: folder,
    print: (line) => void out.push(line),
    complain: (line) => void err.push(line),
    isInteractive: false,
    ask: () => Promise.resolve(""),
    readInput: () => Promise.resolve(""),
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

const nap = '[{"op":"Sleep","id":"def","displayName":"nap","name":"1h"}]';

test("people are told why a run waits, by a server and from its store when it is stopped", async () => {
  const app = await startAppStub("shop");
  app.answerCall = () => ({ status: 206, body: nap });
  const server = await startServer({ store: createSqliteStore({ path: storePath(folder) }) });
  let runId = "";
  try {
    app.serverUrl = server.url;
    assert.equal((await register(app, "shop")).status, 200);
    const path = "/v2/apps/shop/functions/greet/invoke";
    const { json } = await ask(server.url, "POST", path, { body: '{"data":{}}' });
    runId = String(look(json, "data.runId"));
    const url = ["--url", server.url];
    const asked = await until(
      () => pawl(["explain", runId, ...url]),
      ({ out }) => out.includes("nap"),
    );
    assert.equal(asked.code, 0, asked.err);
    assert.match(
      asked.out,
      new RegExp(`^Run ${runId} of shop-greet: running\n\n  Step "nap" sleeps`),
    );
    assert.match(asked.out, /\n {2}Next: Nothing/);
    const raw = await pawl(["explain", runId, ...url, "--json"]);
    assert.equal(look(JSON.parse(raw.out), "reasons.0.kind"), "sleep");
    const busy = await pawl(["explain", runId, "--dir", "."]);
    assert.match(busy.err, /store_locked/);
    const none = await pawl(["explain", "01J0000000000000000000000A", ...url]);
    assert.equal(none.code, 1);
    assert.match(none.err, /There is no run 01J0000000000000000000000A\. .*\(run_not_found\)/);
  } finally {
    await server.close();
    await app.close();
  }
  const stopped = await pawl(["explain", runId, "--url", server.url]);
  assert.equal(stopped.code, 1);
  assert.match(stopped.err, /No server answers at .*\(server_unreachable\)/);
  const read = await pawl(["explain", runId, "--dir", "."]);
  assert.equal(read.code, 0, read.err);
  assert.match(read.out, /Step "nap" sleeps until/);
  const unknown = await pawl(["explain", "01J0000000000000000000000A", "--dir", "."]);
  assert.match(unknown.err, /run_not_found/);
  assert.match((await pawl(["explain", runId, "--dir", "nothing"])).err, /There is no store/);
  assert.equal((await pawl(["explain"])).code, 2);
});

test("the key of the API is taken from flag or environment", async () => {
  const server = await startServer({
    store: createMemoryStore(),
    kind: "cloud",
    signingKeys: ["0badc0de"],
  });
  try {
    const args = ["explain", "01J0000000000000000000000A", "--url", server.url];
    const refused = await pawl(args);
    assert.match(refused.err, /status 401: .*\(server_refused\)/);
    for (const env of [{ PAWL_API_KEY: "0badc0de" }, { PAWL_SIGNING_KEY: "0badc0de" }])
      assert.match((await pawl(args, env)).err, /run_not_found/);
    assert.match((await pawl([...args, "--api-key", "0badc0de"])).err, /run_not_found/);
  } finally {
    await server.close();
  }
});
