// Requests that the server performs for a step: what goes out, what comes back, what fails.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Scenario } from "../scenario.ts";
import { messageOf } from "./helpers.ts";

interface Seen {
  readonly request: IncomingMessage;
  readonly body: string;
}

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A site on loopback while `use` runs; `reply` gets the number of the request, from 0. */
async function withSite<T>(
  reply: (n: number) => Reply,
  use: (url: string, seen: readonly Seen[]) => Promise<T>,
): Promise<T> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { status, headers, body: answer } = reply(seen.length);
      seen.push({ request, body });
      response.writeHead(status, headers).end(answer);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo; // proof: it listens on TCP
  try {
    return await use(`http://127.0.0.1:${String(port)}`, seen);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** `step.fetch`. */
export const fetching: Scenario = {
  says: "step.fetch: the server sends the request once, and every replay sees its response",
  define: (kit) => [
    kit.fn({ id: "fetching" }, { event: "fetching/go" }, async (context) => {
      const { step, event } = context;
      const url = `${String(event.data["url"])}/orders?n=1`;
      const headers = { "content-type": "application/json", "x-own": "yes" };
      const response = await kit.fetch(context, "order", url, {
        method: "POST",
        headers,
        body: '{"n":1}',
      });
      const found: unknown[] = [
        response.status,
        response.headers.get("x-site"),
        await response.json(),
      ];
      kit.note("fetching", found);
      const after = await step.run("after", () => "ran");
      await step.sleep("replay", "1s");
      return [...found, after];
    }),
  ],
  check: async ({ outputOf, notes }) => {
    const reply = { status: 409, headers: { "x-site": "s" }, body: '{"taken":true}' };
    await withSite(
      () => reply,
      async (url, seen) => {
        const expected = [409, "s", { taken: true }];
        assert.deepEqual(await outputOf("fetching/go", { url }), [...expected, "ran"]);
        const noted = await notes("fetching");
        assert.ok(noted.length >= 2, "seen again on a replay");
        for (const each of noted) assert.deepEqual(each, expected);
        assert.equal(seen.length, 1);
        const [first] = seen;
        assert.ok(first);
        assert.deepEqual(
          [first.request.method, first.request.url, first.body, first.request.headers["x-own"]],
          ["POST", "/orders?n=1", '{"n":1}', "yes"],
        );
        assert.match(
          String(first.request.headers["idempotency-key"]),
          /^[0-9A-Z]{26}-[0-9a-f]{40}$/,
        );
      },
    );
  },
};

/** Bodies that may not be there. */
export const fetchingNothing: Scenario = {
  says: "step.fetch: a response without a body is one",
  define: (kit) => [
    kit.fn({ id: "fetching-nothing" }, { event: "fetching/nothing" }, async (context) => {
      const response = await kit.fetch(context, "drop", String(context.event.data["url"]), {
        method: "DELETE",
      });
      return [response.status, await response.text()];
    }),
  ],
  check: async ({ outputOf }) => {
    await withSite(
      () => ({ status: 204, body: "" }),
      async (url) => assert.deepEqual(await outputOf("fetching/nothing", { url }), [204, ""]),
    );
  },
};

/** Failures of the transport. */
export const fetchingNowhere: Scenario = {
  says: "step.fetch: a site that is not there fails the step, tried again, and user code catches it",
  define: (kit) => [
    kit.fn(
      { id: "fetching-nowhere", retries: 1 },
      { event: "fetching/nowhere" },
      async (context) => {
        try {
          await kit.fetch(context, "get", "http://127.0.0.1:9/");
          return "reached";
        } catch (error) {
          const { name, message } = error as Error; // proof: steps throw errors
          return [name, message];
        }
      },
    ),
  ],
  check: async ({ api, runOf }) => {
    const run = await runOf("fetching/nowhere");
    const shown = JSON.stringify(run.output);
    assert.match(shown, /GET http:\/\/127\.0\.0\.1:9\/ was not reached \(ECONNREFUSED\)/);
    assert.match(shown, /GatewayError|StepError/);
    const { body } = await api.request("GET", `/v2/runs/${run.run_id}/trace`);
    assert.match(JSON.stringify(body), /"name":"Attempt 2"/);
  },
};

const key = "sk-scenario-0123456789";

/** `step.ai.infer`. */
export const inferring: Scenario = {
  says: "step.ai.infer: the server asks with the key, waits as the provider says, and returns its JSON",
  define: ({ fn, note }) => [
    fn({ id: "inferring" }, { event: "inferring/go" }, async ({ step, event }) => {
      const url = `${String(event.data["url"])}/v1/messages`;
      const headers = { "anthropic-version": "2023-06-01" };
      const model = { format: "anthropic", url, authKey: key, headers, options: {} };
      const answer = await step.ai.infer("ask", { model, body: { messages: [{ role: "user" }] } });
      note("inferring", answer);
      await step.sleep("replay", "1s");
      return answer;
    }),
  ],
  check: async ({ api, runOf, notes }) => {
    const reply = (n: number): Reply =>
      n === 0
        ? { status: 529, headers: { "retry-after": "1" }, body: '{"error":"overloaded"}' }
        : { status: 200, body: '{"content":[{"text":"Hi"}]}' };
    await withSite(reply, async (url, seen) => {
      const run = await runOf("inferring/go", { url });
      const expected = { content: [{ text: "Hi" }] };
      assert.deepEqual(run.output, expected);
      for (const each of await notes("inferring")) assert.deepEqual(each, expected);
      assert.equal(seen.length, 2);
      for (const { request, body } of seen) {
        assert.deepEqual(
          [request.method, request.headers["x-api-key"], request.headers["anthropic-version"]],
          ["POST", key, "2023-06-01"],
        );
        assert.deepEqual(JSON.parse(body), { messages: [{ role: "user" }] });
      }
      const shown = await Promise.all(
        [`/v1/runs/${run.run_id}`, `/v2/runs/${run.run_id}/trace?includeOutput=true`].map((path) =>
          api.request("GET", path),
        ),
      );
      assert.ok(!JSON.stringify(shown).includes(key), "the key is shown nowhere");
      assert.match(JSON.stringify(shown), /AI_GATEWAY/);
    });
  },
};

/** A provider that refuses. */
export const inferringRefused: Scenario = {
  says: "step.ai.infer: a refusal is final, and says what the provider said",
  define: ({ fn }) => [
    fn({ id: "inferring-refused" }, { event: "inferring/refused" }, async ({ step, event }) => {
      const url = String(event.data["url"]);
      const model = { format: "openai-chat", url, authKey: key, headers: {}, options: {} };
      return step.ai.infer("ask", { model, body: {} }).then(String, messageOf);
    }),
  ],
  check: async ({ outputOf }) => {
    await withSite(
      () => ({ status: 401, body: `no such key ${key}` }),
      async (url, seen) => {
        const output = String(await outputOf("inferring/refused", { url }));
        assert.match(output, /answered with status 401: no such key \[redacted\]/);
        assert.equal(seen.length, 1);
        assert.equal(seen[0]?.request.headers.authorization, `Bearer ${key}`);
      },
    );
  },
};

/** Next to other branches. */
export const fetchingInParallel: Scenario = {
  says: "step.fetch: beside other steps all are done, and the function goes on with all results",
  define: (kit) => [
    kit.fn({ id: "fetching-parallel" }, { event: "fetching/parallel" }, async (context) => {
      const url = String(context.event.data["url"]);
      const get = (id: string): Promise<string> =>
        kit.fetch(context, id, url).then((response) => response.text());
      return Promise.all([get("a"), context.step.run("b", () => "ran"), get("c")]);
    }),
  ],
  check: async ({ outputOf }) => {
    await withSite(
      () => ({ status: 200, body: "got" }),
      async (url, seen) => {
        assert.deepEqual(await outputOf("fetching/parallel", { url }), ["got", "ran", "got"]);
        assert.equal(seen.length, 2);
      },
    );
  },
};
