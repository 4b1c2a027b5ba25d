// Why runs are not running, asked of a real server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until } from "../../http/test-client.ts";
import { startServer, type PawlServer } from "../../server.ts";
import { register, startAppStub, type AppStub } from "../../sync/app-stub.ts";
import { explanationSchema } from "../explanation-json.ts";

let server: PawlServer;
let app: AppStub;
/** Lets the call that is out end. */
let answer: (() => void) | null = null;

before(async () => {
  app = await startAppStub("shop");
  app.options = { concurrency: [{ limit: 1, key: "event.data.user" }] };
  app.answerCall = () =>
    new Promise((resolve) => (answer = () => resolve({ status: 200, body: '"done"' })));
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
});

after(async () => {
  answer?.();
  await app.close();
  await server.close();
});

async function start(user: string): Promise<string> {
  const body = JSON.stringify({ data: { user } });
  const path = "/v2/apps/shop/functions/greet/invoke";
  const { json, status } = await ask(server.url, "POST", path, { body });
  assert.equal(status, 201, JSON.stringify(json));
  return String(look(json, "data.runId"));
}

/** The explanation, which must have the documented shape. */
async function explained(runId: string): Promise<unknown> {
  const { json, status } = await ask(server.url, "GET", `/v2/runs/${runId}/explain`);
  assert.equal(status, 200, JSON.stringify(json));
  const data = look(json, "data");
  explanationSchema.parse(data);
  return data;
}

test("runs before a concurrency limit of 1 are told their places 1, 2 and 3, and move up", async () => {
  const first = await start("u1");
  await until(
    () => answer,
    (found) => found !== null,
  );
  const waiting: string[] = [];
  for (let n = 0; n < 3; n += 1) waiting.push(await start("u1"));
  const running = await explained(first);
  assert.equal(look(running, "status"), "RUNNING");
  assert.equal(look(running, "functionSlug"), "shop-greet");
  assert.equal(look(running, "reasons.0.kind"), "running");
  for (const [index, runId] of waiting.entries()) {
    const [reason, ...more] = lookArray(await explained(runId), "reasons");
    assert.equal(more.length, 0);
    assert.deepEqual(
      ["kind", "place.place", "place.queued", "place.expectedAt"].map((path) => look(reason, path)),
      ["queued", index + 1, 3, null],
    );
    assert.deepEqual(
      ["kind", "expression", "value", "limit", "taken", "heldBy"].map((path) =>
        look(reason, `gate.${path}`),
      ),
      ["key", "event.data.user", '"u1"', 1, 1, [first]],
    );
  }
  const release = answer;
  answer = null;
  release?.();
  // The next one goes out, and the server knows by now how long a call takes.
  const third = await until(
    () => explained(waiting[1] ?? ""),
    (found) => look(found, "reasons.0.gate.heldBy.0") === waiting[0],
  );
  assert.equal(look(third, "reasons.0.place.place"), 1);
  assert.match(String(look(third, "reasons.0.place.expectedAt")), /^\d{4}-/);
  assert.match(String(look(third, "reasons.0.place.expectedFrom")), /an estimate .*\(1 counted\)/);
});

test("a run that does not exist is a 404 with a code; query parameters are refused", async () => {
  const missing = "01J0000000000000000000000A";
  const { status, json } = await ask(server.url, "GET", `/api/v2/runs/${missing}/explain`);
  assert.equal(status, 404);
  assert.deepEqual(look(json, "errors.0"), {
    code: "not_found",
    message: `There is no run ${missing}.`,
  });
  assert.equal((await ask(server.url, "GET", `/v2/runs/${missing}/explain?a=1`)).status, 400);
});
