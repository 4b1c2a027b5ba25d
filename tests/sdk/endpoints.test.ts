// Durable endpoints of npm `inngest` 4: HTTP handlers with steps, called by people, in development, in
// production, and across a server that is killed.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { Inngest, NonRetriableError, step } from "inngest";
import { endpointAdapter } from "inngest/edge";
import { AsyncResponseType } from "inngest/types";
import { look, lookArray } from "@pawl/server/http/test-client";
import { PawlServer, type ServerOptions } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { freePort } from "../support/ports.ts";

const signingKey = "signkey-test-12345678";
const eventKey = "event-key-1";

type Handler = (request: Request) => Promise<Response>;

interface Served {
  readonly url: string;
  /** What its handlers noted, by name, in order. */
  readonly notes: Map<string, unknown[]>;
  stop(): Promise<void>;
}

async function startApp(serverUrl: string, isDev: boolean): Promise<Served> {
  const keys = isDev ? null : { signingKey, eventKey };
  const logger = { info: quiet, warn: quiet, error: quiet, debug: quiet };
  const common = { id: "shop", baseUrl: serverUrl, isDev, logger, ...keys };
  const notes = new Map<string, unknown[]>();
  const note = (name: string, value: unknown): number =>
    notes.set(name, [...(notes.get(name) ?? []), value]).get(name)?.length ?? 0;
  // All adapters share their options, which hold for the endpoints that are made next.
  const client = new Inngest({ ...common, endpointAdapter });
  const manner = (options: Parameters<typeof endpointAdapter.withOptions>[0]): Inngest.Any =>
    new Inngest({ ...common, endpointAdapter: endpointAdapter.withOptions(options) });
  manner({ asyncRedirectUrl: "", asyncResponse: AsyncResponseType.Redirect });
  const plain = handlersOf(client, note);
  const byProxy = lateHandler(manner({ asyncRedirectUrl: "/poll" }), "by proxy");
  const byToken = lateHandler(manner({ asyncResponse: AsyncResponseType.Token }), "by token");
  const handlers = new Map<string, Handler>([
    ...plain,
    ["/token", byToken],
    ["/proxied", byProxy],
    ["/poll", client.endpointProxy()],
  ]);
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? ""}`);
      const body = await text(incoming);
      const init = { method: incoming.method ?? "GET", headers: headersOf(incoming.headers) };
      const request = new Request(url, body === "" ? init : { ...init, body });
      const response = await (handlers.get(url.pathname) ?? missing)(request);
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(await response.text());
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: a TCP server that listens has one
  return {
    url: `http://127.0.0.1:${String(port)}`,
    notes,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function quiet(): void {}

async function missing(): Promise<Response> {
  return new Response("", { status: 404 });
}

function headersOf(headers: NodeJS.Dict<string | string[]>): Headers {
  const made = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) made.set(name, String(value));
  }
  return made;
}

type Client = { endpoint(handler: Handler): Handler };

function handlersOf(
  client: Client,
  note: (name: string, value: unknown) => number,
): readonly (readonly [string, Handler])[] {
  return [
    [
      "/sync",
      client.endpoint(async (request) => {
        const who = new URL(request.url).searchParams.get("who");
        const a = await step.run("a", () => note("sync", who));
        const b = await step.run("b", () => a + 1);
        return Response.json({ who, b });
      }),
    ],
    [
      "/sleeps",
      client.endpoint(async () => {
        const a = await step.run("a", () => note("sleeps", "a"));
        await step.sleep("nap", "1s");
        const b = await step.run("b", () => note("sleeps", "b"));
        return new Response(`hello ${a} ${b}`);
      }),
    ],
    [
      "/fails",
      client.endpoint(async () => {
        const tries = await step.run("shaky", () => {
          if (note("fails", "try") < 3) throw new Error("not yet");
          return note("fails", "done");
        });
        return Response.json({ tries });
      }),
    ],
    [
      "/throws",
      client.endpoint(async () => {
        await step.run("a", () => note("throws", "a"));
        await step.sleep("nap", "1s");
        throw new NonRetriableError("no way");
      }),
    ],
    [
      "/waits",
      client.endpoint(async (request) => {
        const id = new URL(request.url).searchParams.get("id");
        await step.run("a", () => note("waits", id));
        const event = await step.waitForEvent("paid", {
          event: "order/paid",
          if: `async.data.id == "${id ?? ""}"`,
          timeout: "1m",
        });
        return Response.json({ id, paid: event?.data });
      }),
    ],
  ];
}

/** JSON whose text the SDK wrote as JSON once more. */
async function twice(answer: Response): Promise<unknown> {
  return JSON.parse(String(await answer.json())) as unknown; // proof: any JSON
}

function lateHandler(client: Client, words: string): Handler {
  return client.endpoint(async () => {
    await step.sleep("nap", "1s");
    return new Response(words);
  });
}

const polling = ["--poll-interval", "1"];

for (const command of ["dev", "start"] as const) {
  suite(`pawl ${command}`, { timeout: 90_000 }, () => {
    const isDev = command === "dev";
    let world: { server: PawlServer; readonly app: Served } | null = null;

    before(async () => {
      const port = await freePort();
      const app = await startApp(`http://127.0.0.1:${String(port)}`, isDev);
      const options: ServerOptions = {
        command,
        port,
        flags: ["--retry-interval", "1", ...(isDev ? polling : ["--endpoint-origins", app.url])],
        ...(isDev ? null : { signingKey, eventKey }),
      };
      world = { server: await PawlServer.start(options), app };
    });
    after(async () => {
      await world?.server.stop();
      await world?.app.stop();
    });

    function parts() {
      assert.ok(world !== null, "the server did not start");
      return world;
    }

    async function onlyRun(name: string): Promise<{ id: string; status: unknown }> {
      const { server } = parts();
      const { body } = await server.api.request("GET", "/v1/runs?first=100");
      const runs = look(body, "data.runs");
      assert.ok(Array.isArray(runs), JSON.stringify(body));
      const own = runs.filter((run) => look(run, "function_name") === name);
      assert.equal(own.length, 1, `${name}: ${JSON.stringify(runs)}`);
      return { id: String(look(own[0], "id")), status: look(own[0], "status") };
    }

    test("an endpoint that runs through answers by itself, and its run is there", async () => {
      const { app } = parts();
      const answer = await fetch(`${app.url}/sync?who=me`);
      assert.deepEqual([answer.status, await answer.json()], [200, { who: "me", b: 2 }]);
      await eventually("the run completes", async () =>
        /completed/i.test(String((await onlyRun("GET /sync")).status)),
      );
      assert.deepEqual(app.notes.get("sync"), ["me"]);
    });

    test("one that sleeps goes on by itself; who called it is sent to its output", async () => {
      const { app, server } = parts();
      const moved = await fetch(`${app.url}/sleeps`, { redirect: "manual" });
      assert.equal(moved.status, 302);
      const location = moved.headers.get("location") ?? "";
      assert.ok(location.startsWith(`${server.url}/v1/http/runs/`), location);
      const answer = await fetch(location);
      // The SDK encodes a text twice (protocol.md 6.3).
      assert.deepEqual([answer.status, await answer.text()], [200, '"hello 1 2"']);
      assert.deepEqual(app.notes.get("sleeps"), ["a", "b"], "no step ran twice");
      const refused = await fetch(location.replace(/token=.*/, "token=nonsense"));
      assert.equal(refused.status, 401);
    });

    test("a step that fails is tried again", async () => {
      const { app } = parts();
      const answer = await fetch(`${app.url}/fails`);
      assert.deepEqual([answer.status, await twice(answer)], [200, { tries: 4 }]);
      assert.deepEqual(app.notes.get("fails"), ["try", "try", "try", "done"]);
    });

    test("one that fails for good says so", async () => {
      const { app } = parts();
      const answer = await fetch(`${app.url}/throws`);
      assert.equal(answer.status, 500);
      assert.match(await answer.text(), /no way/);
      assert.match(String((await onlyRun("GET /throws")).status), /failed/i);
    });

    test("one that waits gets its event", async () => {
      const { app, server } = parts();
      const answer = fetch(`${app.url}/waits?id=7`);
      await eventually("the run waits", async () => {
        const { body } = await server.api.request("GET", "/v1/runs?first=100");
        const own = lookArray(body, "data.runs").find(
          (run) => look(run, "function_name") === "GET /waits",
        );
        if (own === undefined) return false;
        const trace = await server.api.request("GET", `/v1/runs/${String(look(own, "id"))}/trace`);
        return JSON.stringify(trace.body).includes("paid");
      });
      await server.api.send({ name: "order/paid", data: { id: "7", cents: 100 } });
      const json = await twice(await answer);
      assert.deepEqual(json, { id: "7", paid: { id: "7", cents: 100 } });
    });

    test("in token mode the caller gets run and token", async () => {
      const { app, server } = parts();
      const { run_id: runId, token } = (await (await fetch(`${app.url}/token`)).json()) as {
        run_id: string;
        token: string;
      }; // proof: what the SDK answers in that mode; asserted below
      assert.match(runId, /^[0-9A-Z]{26}$/);
      const output = `${server.url}/v1/http/runs/${runId}/output?token=${token}`;
      assert.equal(await (await fetch(output)).text(), '"by token"');
      const other = output.replace(runId, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
      assert.equal((await fetch(other)).status, 401, "the token is for one run");
    });

    test("an app's own proxy passes the output on", async () => {
      const { app } = parts();
      const answer = await fetch(`${app.url}/proxied`);
      assert.ok(answer.url.startsWith(`${app.url}/poll`), answer.url);
      assert.deepEqual([answer.status, await answer.text()], [200, "by proxy"]);
    });
  });
}

suite("a server that is killed", { timeout: 90_000 }, () => {
  test("an endpoint that sleeps goes on with the next server, and no step runs twice", async () => {
    const port = await freePort();
    const app = await startApp(`http://127.0.0.1:${String(port)}`, true);
    let server = await PawlServer.start({ port });
    try {
      const moved = await fetch(`${app.url}/sleeps`, { redirect: "manual" });
      const location = moved.headers.get("location") ?? "";
      await server.stop("SIGKILL");
      server = await server.restart();
      const answer = await fetch(location);
      assert.deepEqual([answer.status, await answer.text()], [200, '"hello 1 2"']);
      assert.deepEqual(app.notes.get("sleeps"), ["a", "b"]);
    } finally {
      await server.stop();
      await app.stop();
    }
  });
});
