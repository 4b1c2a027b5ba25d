// Production mode: `pawl start` with keys. Calls and syncs are signed, wrong keys are refused, and
// keys can be changed on either side first.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Api } from "../support/api.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { freePort } from "../support/ports.ts";
import type { AppKeys } from "./app/messages.ts";
import { AppProcess } from "./app-process.ts";
import type { Flavour } from "./flavours.ts";

const oldKey = "signkey-test-12345678";
const newKey = "signkey-test-9abcdef0";
const strangeKey = "signkey-test-deadbeef";
const eventKey = "event-key-1";
const kinds: readonly Flavour[] = ["js4", "js4-no-checkpoint", "js3", "pawl"];

interface Case {
  readonly appId: string;
  readonly flavour: Flavour;
  readonly keys: AppKeys;
}

function key(signingKey: string, fallbackKey: string | null = null): AppKeys {
  return { signingKey, fallbackKey, eventKey };
}

/** Apps with the server's key, and apps that already have the next one. */
const friends: readonly Case[] = kinds.flatMap((flavour) => [
  { flavour, appId: `same-${flavour}`, keys: key(oldKey) },
  { flavour, appId: `ahead-${flavour}`, keys: key(newKey, oldKey) },
]);

const strangers: readonly Case[] = (["js4", "js3", "pawl"] as const).map((flavour) => ({
  flavour,
  appId: `strange-${flavour}`,
  keys: key(strangeKey),
}));

suite("keys", { timeout: 120_000 }, () => {
  const apps = new Map<string, AppProcess>();
  const servers: PawlServer[] = [];
  let port = 0;

  before(async () => {
    port = await freePort();
    const serverUrl = `http://127.0.0.1:${String(port)}`;
    for (const { appId, flavour, keys } of [...friends, ...strangers]) {
      const app = AppProcess.start({ flavour, appId, keys, serverUrl, functions: "cloud" });
      apps.set(appId, await app);
    }
    servers.push(await startServer([]));
  });
  after(async () => {
    await Promise.all([...apps.values(), ...servers].map((each) => each.stop()));
  });

  async function startServer(flags: readonly string[], signingKey = oldKey): Promise<PawlServer> {
    return PawlServer.start({
      command: "start",
      port,
      ...(servers[0] === undefined ? null : { dir: servers[0].dir }),
      eventKey,
      signingKey,
      apps: [...apps.values()].map(({ url }) => url),
      flags: ["--retry-interval", "1", "--log-level", "warn", ...flags],
    });
  }

  function current(): PawlServer {
    const server = servers.at(-1);
    assert.ok(server !== undefined, "no server");
    return server;
  }

  /** Runs the steps of an app: calls, checkpoints and sends, all with keys. */
  async function works(appId: string): Promise<void> {
    const { api } = current();
    // In production mode nobody tells when the sync is done, so the event is sent until it is.
    const eventId = await eventually(
      `${appId} is synced`,
      async () => {
        const id = await api.sendOne({ name: `${appId}/steps` });
        return (await api.runsOf(id)).length > 0 && id;
      },
      { everyMs: 200 },
    );
    const [run] = await api.ended(eventId);
    assert.equal(run?.status, "Completed", JSON.stringify(run?.output));
    assert.equal(run.output, 3);
    const [sent] = await api.events(`${appId}/sent`);
    assert.deepEqual(sent?.data, { one: 1 });
  }

  suite("one key", { concurrency: friends.length + strangers.length }, () => {
    for (const { appId } of friends) test(`${appId} runs`, () => works(appId));

    for (const { appId } of strangers) {
      test(`${appId} is not registered, and says so in the log`, async () => {
        await eventually("the refusal is logged", () => {
          const { url } = apps.get(appId) ?? { url: "none" };
          return current().output.includes(url);
        });
        const { api } = current();
        const id = await api.sendOne({ name: `${appId}/steps` });
        await works(`same-js4`);
        assert.deepEqual(await api.runsOf(id), []);
      });
    }

    test("an app registers itself with the key it has", async () => {
      const put = async (appId: string): Promise<number> => {
        const { url } = apps.get(appId) ?? { url: "none" };
        const answer = await fetch(url, { method: "PUT", signal: AbortSignal.timeout(20_000) });
        await answer.arrayBuffer();
        return answer.status;
      };
      for (const flavour of kinds) {
        // Our own SDK does nothing at the word of a stranger; the server's sync is signed.
        const status = flavour === "pawl" ? 401 : 200;
        assert.equal(await put(`same-${flavour}`), status, `same-${flavour}`);
        assert.equal(await put(`ahead-${flavour}`), status, `ahead-${flavour}`);
      }
      for (const { appId } of strangers) assert.notEqual(await put(appId), 200, appId);
    });

    test("wrong keys are refused", async () => {
      const { url } = current();
      const wrong = new Api(url, "another-key", strangeKey);
      const answers = [
        await wrong.request("POST", "/e/another-key", { name: "keys/x" }),
        await wrong.request("GET", "/v1/events"),
        await wrong.request("POST", "/fn/register", { appName: "x" }),
        await wrong.request("GET", "/v0/runs/01AAAAAAAAAAAAAAAAAAAAAAAA/actions"),
        await wrong.request("POST", "/v1/checkpoint/01AAAAAAAAAAAAAAAAAAAAAAAA/async", {}),
        await new Api(url).request("GET", "/v1/events"),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [401, 401, 401, 401, 401, 401],
      );
      assert.equal((await current().api.request("GET", "/dev")).status, 404);
      assert.equal((await new Api(url).request("GET", "/health")).status, 200);
    });

    test("calls without a valid signature are refused by the apps", async () => {
      for (const flavour of kinds) {
        const { url } = apps.get(`same-${flavour}`) ?? { url: "none" };
        const answer = await fetch(`${url}?fnId=same-${flavour}-fails&stepId=step`, {
          method: "POST",
          body: "{}",
          headers: { "content-type": "application/json" },
        });
        await answer.arrayBuffer();
        assert.ok(
          answer.status === 401 || answer.status === 500,
          `${flavour} ${String(answer.status)}`,
        );
      }
    });
  });

  suite("the server has the next key and still knows the old one", { concurrency: 8 }, () => {
    before(async () => {
      await current().stop();
      servers.push(await startServer(["--signing-key-fallback", oldKey], newKey));
    });
    for (const flavour of kinds) {
      test(`ahead-${flavour} runs with the new key`, () => works(`ahead-${flavour}`));
      test(`same-${flavour} knows only the old key: it refuses calls, and the API accepts it`, async () => {
        const { api, url } = current();
        const old = new Api(url, eventKey, oldKey);
        assert.equal((await old.request("GET", "/v1/events")).status, 200);
        const [run] = await api.ended(await api.sendOne({ name: `same-${flavour}/steps` }));
        assert.equal(run?.status, "Failed");
      });
    }
  });
});
