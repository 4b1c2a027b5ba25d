// How many calls reach an app at once: as many as setting `callsPerAppMax` says, through real sockets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, until } from "./http/test-client.ts";
import { startServer } from "./server.ts";
import { startAppStub, type CallReply } from "./sync/app-stub.ts";

const calls = 300;

test(
  "as many calls as are let out are with the app, also above the usual number",
  { timeout: 60_000 },
  async () => {
    const app = await startAppStub("shop");
    const all = Promise.withResolvers<CallReply>();
    app.answerCall = () => {
      // Nobody is answered before the last one is there.
      if (app.calls.length >= calls) all.resolve({ status: 200, body: '"done"' });
      return all.promise;
    };
    const server = await startServer({
      store: createMemoryStore(),
      appUrls: [app.url],
      settings: { callsPerAppMax: calls },
    });
    const body = JSON.stringify(Array.from({ length: calls }, () => ({ name: "greet" })));
    const dev = (): Promise<unknown> => ask(server.url, "GET", "/dev");
    await until(dev, (answer) => JSON.stringify(answer).includes("shop-greet"));
    assert.equal((await ask(server.url, "POST", "/e/key", { body })).status, 200);
    await until(
      () => app.calls.length,
      (count) => count === calls,
    );
    await server.close();
    await app.close();
  },
);
