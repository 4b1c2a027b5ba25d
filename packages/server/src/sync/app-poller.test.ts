// When apps are asked to sync, how, and what becomes of their answers: against a stub of an app
// over real sockets, and against rounds turned by hand.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { Reply } from "@pawl/engine/decision";
import type { AppRecord } from "@pawl/engine/records";
import { verifySignature } from "@pawl/protocol/signature";
import { createMemoryStore } from "@pawl/store/memory-store";
import type { Clock } from "../loop/clock.ts";
import { silentLog } from "../loop/log.ts";
import { startServer, type PawlServer } from "../server.ts";
import { createAppClient, type SyncAnswer } from "./app-client.ts";
import { AppPoller, placeholderAppId } from "./app-poller.ts";
import { register, startAppStub, type AppStub } from "./app-stub.ts";
import type { Registrar } from "./registrar.ts";

let server: PawlServer;
let stub: AppStub;

before(async () => {
  server = await startServer({ store: createMemoryStore() });
  stub = await startAppStub("synced");
  stub.serverUrl = server.url;
});

after(async () => {
  await server.close();
  await stub.close();
});

beforeEach(() => {
  stub.manner = "in_band";
  stub.signingKey = null;
  stub.syncs.length = 0;
});

const now = () => Date.now();

async function ask(signingKeys: readonly string[] = []): Promise<SyncAnswer> {
  const client = createAppClient({ kind: "dev", signingKeys, now });
  const answer = await client.requestSync(stub.url);
  await client.close();
  return answer;
}

function errorOf(answer: SyncAnswer): string {
  return answer.kind === "failed" ? answer.error : answer.kind;
}

test("an app is asked in band, by a signed PUT that names its URL", async () => {
  const key = "signkey-test-0123";
  await ask([key]);
  const [sync] = stub.syncs;
  assert.equal(sync?.headers["x-inngest-sync-kind"], "in_band");
  assert.equal(sync?.headers["x-inngest-server-kind"], "dev");
  assert.deepEqual(JSON.parse(sync?.body ?? ""), { url: stub.url });
  const header = String(sync?.headers["x-inngest-signature"]);
  verifySignature({ keys: [key], header, body: sync?.body ?? "", now: now(), canonical: true });
});

test("without keys nothing is signed and the answer is believed", async () => {
  assert.equal((await ask()).kind, "in_band");
  assert.equal(stub.syncs[0]?.headers["x-inngest-signature"], undefined);
});

test("with keys an answer must be signed with one of them", async () => {
  assert.match(errorOf(await ask(["0123"])), /not signed with the signing key/);
  stub.signingKey = "4567";
  assert.match(errorOf(await ask(["0123"])), /not signed with the signing key/);
  assert.equal((await ask(["0123", "4567"])).kind, "in_band");
});

test("an app that registers by itself has done its part", async () => {
  stub.manner = "out_of_band";
  assert.equal((await ask()).kind, "out_of_band");
});

const strange: readonly (readonly [string, AppStub["manner"], RegExp])[] = [
  [
    "answers HTML",
    { status: 200, body: "<html>", sdk: false },
    /answered with status 200, but not like an app/,
  ],
  [
    "is not there",
    { status: 404, body: "", sdk: false },
    /answered with status 404, but not like an app/,
  ],
  [
    "refuses with a reason",
    { status: 500, body: '{"message":"no signing key"}', sdk: true },
    /refused to sync with status 500: no signing key/,
  ],
  [
    "refuses without one",
    { status: 500, body: "boom", sdk: true },
    /refused to sync with status 500\.$/,
  ],
];

for (const [what, manner, error] of strange) {
  test(`an app that ${what} is told apart`, async () => {
    stub.manner = manner;
    assert.match(errorOf(await ask()), error);
  });
}

test("an app that nobody serves is said to be unreachable", async () => {
  const gone = await startAppStub("gone");
  await gone.close();
  const client = createAppClient({ kind: "dev", signingKeys: [], now });
  assert.match(
    errorOf(await client.requestSync(gone.url)),
    /cannot be reached: nothing listens there/,
  );
  assert.equal(await client.isApp(gone.url), false);
  assert.equal(await client.isApp(stub.url), true);
  await client.close();
});

/** A poller whose rounds are started by hand. */
function poller(
  urls: readonly string[],
  poll: boolean,
  answers: () => SyncAnswer,
  registrar: Registrar,
  apps: () => Iterable<AppRecord>,
) {
  let next: (() => void) | null = null;
  const clock: Clock = {
    now,
    after: (_, run) => {
      next = run;
      return { cancel: () => (next = null) };
    },
  };
  const asked: string[] = [];
  const client = {
    requestSync: (url: string) => {
      asked.push(url);
      return Promise.resolve(answers());
    },
  };
  const created = new AppPoller({
    client,
    registrar,
    apps,
    urls,
    poll,
    discover: null,
    intervalMs: 1,
    clock,
    log: silentLog,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    asked,
    start: () => {
      created.start();
      return settle();
    },
    round: async () => {
      const due = next;
      next = null;
      due?.();
      await settle();
    },
    waiting: () => next !== null,
    stop: () => created.stop(),
  };
}

function app(name: string, url: string): AppRecord {
  const rest = {
    sdk: "",
    framework: null,
    platform: null,
    appVersion: null,
    checksum: "",
    error: null,
    functions: [],
  };
  return { id: name, name, url, ...rest, createdAt: 0, updatedAt: 0 };
}

const synced: Reply = { ok: true, value: { type: "synced", appId: "a", modified: true } };

test("a URL that was named is kept with its error until it answers, and then left alone", async () => {
  const apps: AppRecord[] = [];
  const failures: string[] = [];
  let answer: SyncAnswer = { kind: "failed", error: "not up yet" };
  const registrar: Registrar = {
    register: () => Promise.resolve(synced),
    registerInBand: () => {
      apps.push(app("late", "http://127.0.0.1:4000/api/pawl/"));
      return Promise.resolve(synced);
    },
    fail: (appId, url, error) => Promise.resolve(void failures.push(`${appId} ${url} ${error}`)),
  };
  const url = "http://localhost:4000/api/pawl";
  const run = poller(
    [url],
    false,
    () => answer,
    registrar,
    () => apps,
  );
  await run.start();
  await run.round();
  assert.deepEqual(new Set(failures), new Set([`${placeholderAppId(url)} ${url} not up yet`]));
  answer = { kind: "in_band", body: "{}" };
  await run.round();
  assert.equal(run.asked.length, 3);
  assert.equal(run.waiting(), false);
  await run.stop();
});

test("known apps are asked again while polling; an app that fails keeps its id", async () => {
  const failures: string[] = [];
  const registrar: Registrar = {
    register: () => Promise.resolve(synced),
    registerInBand: () =>
      Promise.resolve({ ok: false, code: "config_invalid", message: "bad expression" }),
    fail: (appId, _, error) => Promise.resolve(void failures.push(`${appId}: ${error}`)),
  };
  const apps = [
    app("a", "http://localhost:1/x"),
    app("worker", "wss://connect"),
    app("", "http://localhost:2/x"),
  ];
  const run = poller(
    [],
    true,
    () => ({ kind: "in_band", body: "{}" }),
    registrar,
    () => apps,
  );
  await run.start();
  assert.deepEqual(run.asked, ["http://localhost:1/x"]);
  assert.deepEqual(failures, ["a: bad expression"]);
  assert.equal(run.waiting(), true);
  await run.stop();
});

test("an app that moves while it is asked is not moved back by the answer from its old place", async () => {
  const registered: string[] = [];
  const registrar: Registrar = {
    register: () => Promise.resolve(synced),
    registerInBand: (body) => Promise.resolve(void registered.push(body)).then(() => synced),
    fail: () => Promise.resolve(),
  };
  const old = "http://localhost:1/x";
  const apps = [app("a", old)];
  let moves = false;
  const answers = (): SyncAnswer => {
    if (moves) apps[0] = app("a", "http://localhost:2/x");
    return { kind: "in_band", body: old };
  };
  const run = poller([], true, answers, registrar, () => apps);
  await run.start();
  assert.deepEqual(registered, [old]);
  moves = true;
  await run.round();
  assert.deepEqual(run.asked, [old, old]);
  assert.deepEqual(registered, [old]);
  await run.stop();
});

test("an app that registered elsewhere is told so", async () => {
  const failures: string[] = [];
  const registrar: Registrar = {
    register: () => Promise.resolve(synced),
    registerInBand: () => Promise.resolve(synced),
    fail: (_, __, error) => Promise.resolve(void failures.push(error)),
  };
  const run = poller(
    ["http://localhost:3000/api/pawl"],
    false,
    () => ({ kind: "out_of_band" }),
    registrar,
    () => [],
  );
  await run.start();
  assert.match(failures[0] ?? "", /not with this server/);
  await run.stop();
});

test("on a real server the placeholder gives way to the app, and a moved app is called at its new place", async () => {
  const first = await startAppStub("moving");
  const other = await startServer({
    store: createMemoryStore(),
    appUrls: [first.url],
    poll: true,
    pollIntervalMs: 5,
  });
  first.serverUrl = other.url;
  first.manner = { status: 503, body: "{}", sdk: true };
  const found = async (
    wanted: (app: AppRecord | undefined) => boolean,
  ): Promise<AppRecord | undefined> => {
    for (;;) {
      const [only, ...more] = other.runtime.hot.apps();
      if (more.length === 0 && wanted(only)) return only;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  await found((only) => only?.name === "" && only.error !== null);
  first.manner = "in_band";
  const settled = await found((only) => only?.name === "moving");
  assert.equal(settled?.error, null);
  first.manner = { status: 503, body: '{"message":"restarting"}', sdk: true };
  await found((only) => only?.error?.includes("restarting") === true);
  const second = await startAppStub("moving");
  first.manner = "in_band";
  await found((only) => only?.error === null);
  await first.close();
  second.serverUrl = other.url;
  assert.equal((await register(second, "moving")).status, 200);
  const moved = await found((only) => only?.url === second.url);
  assert.ok(moved?.functions[0]?.url.startsWith(second.url));
  await other.close();
  await second.close();
});
