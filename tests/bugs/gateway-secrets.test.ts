// Requests that a server performs for a step: their key survives a crash and is gone with the step,
// and what only the server can reach is out of reach for apps.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { hashStepId } from "@pawl/protocol/step-id";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { memoOf, opcodes, returned, WireApp } from "./wire-app.ts";

const key = "sk-VERY-SECRET-0123456789";

/** `step.ai.infer`. */
function infer(url: string): object {
  return {
    id: hashStepId("ask", 0),
    op: "AIGateway",
    displayName: "ask",
    opts: {
      url,
      format: "openai-chat",
      auth_key: key,
      headers: { "x-tenant": key },
      body: { q: 1 },
    },
  };
}

async function startSite(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const site = createServer(handle);
  await new Promise<void>((resolve) => {
    site.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => {
    site.closeAllConnections();
    site.close();
  });
  return `http://127.0.0.1:${String((site.address() as AddressInfo).port)}`; // proof: it listens on TCP
}

function startApp(t: TestContext, url: string): Promise<WireApp> {
  return WireApp.start("asks", [{ id: "f", event: "bugs/ask", retries: 1 }], (call) => {
    const memo = memoOf(call, "ask");
    return memo === undefined ? opcodes(infer(url)) : returned(memo);
  }).then((app) => {
    t.after(() => app.close());
    return app;
  });
}

/** Files of a folder that have a text in them. */
function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text));
}

test("the key of a request survives a kill, is never shown, and is gone with its step", async (t) => {
  const seen: IncomingMessage[] = [];
  const url = await startSite(t, (request, response) => {
    seen.push(request);
    // The first is never answered, the second fails, the third brings the result.
    if (seen.length === 2)
      response.writeHead(500).end(`not for ${String(request.headers["x-tenant"])}`);
    if (seen.length === 3) response.end('{"ok":true}');
  });
  const app = await startApp(t, url);
  const flags = ["--log-level", "debug", "--retry-interval", "0"];
  let server = await PawlServer.start({ flags });
  t.after(() => server.stop("SIGKILL"));
  await app.register(server.url);
  const eventId = await server.api.sendOne({ name: "bugs/ask" });
  await eventually("the request is under way", () => seen.length === 1);
  assert.ok(filesWith(server.dir, key).length > 0, "it is there while it is needed");
  await server.stop("SIGKILL");
  const first = server.output;
  server = await server.restart();
  const [run] = await server.api.ended(eventId);
  assert.ok(run);
  assert.deepEqual(run.output, { data: { ok: true } });
  assert.equal(seen.length, 3);
  for (const { headers } of seen) {
    assert.equal(headers.authorization, `Bearer ${key}`);
    assert.equal(headers["idempotency-key"], `${run.run_id}-${hashStepId("ask", 0)}`);
  }
  // While the server runs, too: neither in the file, nor in its log.
  await eventually("the key is gone from the store", () => filesWith(server.dir, key).length === 0);
  const query = `{run(runID:"${run.run_id}"){hasAI trace{childrenSpans{name stepOp stepType attempts outputID}}}}`;
  const answers = await Promise.all([
    server.api.request("GET", `/v1/runs/${run.run_id}`),
    server.api.request("GET", `/v1/runs/${run.run_id}/jobs`),
    server.api.request("GET", `/v2/runs/${run.run_id}/trace?includeOutput=true`),
    server.api.request("GET", `/v0/runs/${run.run_id}/actions`),
    server.api.request("POST", "/v0/gql", { query }),
    server.api.request("GET", "/metrics"),
  ]);
  const shown = JSON.stringify(answers);
  assert.match(shown, /AI_GATEWAY/);
  assert.match(shown, /"hasAI":true/);
  assert.match(shown, /pawl_gateway_requests_total\{step=.{1,4}infer/);
  await server.stop();
  for (const text of [shown, first, server.output]) assert.ok(!text.includes(key));
  assert.deepEqual(filesWith(server.dir, key), []);
});

test("a server that others can reach sends nothing to private addresses, unless it is told to", async (t) => {
  let requests = 0;
  const url = await startSite(t, (_request, response) => {
    requests += 1;
    response.end('{"inside":true}');
  });
  const app = await startApp(t, url);
  const outcome = async (...flags: string[]): Promise<string> => {
    const server = await PawlServer.start({
      flags: ["--in-memory", "--host", "0.0.0.0", ...flags],
    });
    try {
      await app.register(server.url);
      return JSON.stringify((await server.api.runOf({ name: "bugs/ask" })).output);
    } finally {
      await server.stop();
    }
  };
  assert.match(
    await outcome(),
    /AIGatewayError.*127\.0\.0\.1, which is no public address.*--gateway-allow/,
  );
  assert.equal(requests, 0);
  assert.match(await outcome("--gateway-allow", "127.0.0.0/8"), /inside/);
  assert.match(await outcome("--gateway-allow-private"), /inside/);
});
