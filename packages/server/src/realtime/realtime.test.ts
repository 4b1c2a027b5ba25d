// A whole server, spoken to through real sockets: tokens, both ways to subscribe, everything that is
// published, and what becomes of subscribers when the server stops.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, suite, test } from "node:test";
import fc from "fast-check";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, until, type Answer } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";
import { EventReader, SocketReader } from "./testing/readers.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
});

after(async () => {
  await server.close();
  await app.close();
});

type Wanted = readonly (readonly [channel: string, name: string])[];

async function askToken(topics: Wanted, at = server): Promise<string> {
  const body = JSON.stringify(topics.map(([channel, name]) => ({ kind: "run", channel, name })));
  const { status, json } = await ask(at.url, "POST", "/v1/realtime/token", { body });
  assert.equal(status, 201, JSON.stringify(json));
  return String(look(json, "jwt"));
}

async function socket(topics: Wanted, at = server): Promise<SocketReader> {
  return SocketReader.open(at.url, await askToken(topics, at));
}

async function events(topics: Wanted, at = server): Promise<EventReader> {
  return EventReader.open(at.url, await askToken(topics, at));
}

function publish(query: string, body: string, headers = {}): Promise<Answer> {
  return ask(server.url, "POST", `/v1/realtime/publish?${query}`, { body, headers });
}

suite("tokens", () => {
  test("a token has the documented claims", async () => {
    const [head = "", payload = ""] = (await askToken([["c", "t"]])).split(".");
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
    assert.equal(look(read(head), "alg"), "HS256");
    const claims = read(payload);
    assert.equal(look(claims, "iss"), "rt.inngest.com");
    assert.deepEqual(look(claims, "topics"), [{ kind: "run", channel: "c", name: "t" }]);
    assert.equal(Number(look(claims, "exp")) - Number(look(claims, "iat")), 60);
    assert.match(String(look(claims, "jti")), /^[0-9A-HJKMNP-TV-Z]{26}$/);
    for (const claim of ["sub", "env"])
      assert.match(String(look(claims, claim)), /^[0-9a-f-]{36}$/);
  });

  const badBodies: readonly (readonly [string, unknown])[] = [
    ["an object", {}],
    ["no topic", []],
    ["an unknown kind", [{ kind: "x", channel: "c", name: "n" }]],
    ["no channel", [{ kind: "run", name: "n" }]],
    ["a long name", [{ kind: "run", channel: "c", name: "n".repeat(257) }]],
    ["many topics", Array.from({ length: 101 }, (_, n) => ({ channel: "c", name: String(n) }))],
  ];
  for (const [what, body] of badBodies) {
    test(`no token for ${what}`, async () => {
      const text = JSON.stringify(body);
      const { status, json } = await ask(server.url, "POST", "/v1/realtime/token", { body: text });
      assert.deepEqual([status, look(json, "code")], [400, "body_invalid"]);
    });
  }

  test("a limit of names and topics names its setting", async () => {
    const body = JSON.stringify([{ channel: "c", name: "n".repeat(257) }]);
    const { json } = await ask(server.url, "POST", "/v1/realtime/token", { body });
    assert.match(String(look(json, "error")), /256 \(--realtime-name-chars-max\)/);
  });

  test("without a good token nobody subscribes, and the code says why", async () => {
    const other = await startServer({ store: createMemoryStore() });
    const foreign = await askToken([["c", "t"]], other);
    await other.close();
    for (const [token, code] of [
      ["", "token_missing"],
      ["nonsense", "token_invalid"],
      [foreign, "token_invalid"],
    ] as const) {
      for (const way of ["sse", "connect"]) {
        const path = `/v1/realtime/${way}?token=${token}`;
        const { status, json } = await ask(server.url, "GET", path);
        assert.deepEqual([status, look(json, "code")], [401, code], `${way} ${code}`);
      }
      await assert.rejects(SocketReader.open(server.url, token), /refused/);
    }
  });

  test("connect without an upgrade says that it is for WebSockets", async () => {
    const token = await askToken([["c", "t"]]);
    const { status, json } = await ask(server.url, "GET", `/v1/realtime/connect?token=${token}`);
    assert.deepEqual([status, look(json, "code")], [426, "upgrade_required"]);
  });
});

suite("publishing", () => {
  const bodies: readonly (readonly [string, string, unknown])[] = [
    ["an object", '{"a": 1.50,\n "b":"x"}', { a: 1.5, b: "x" }],
    ["text", "hello\nthere", "hello\nthere"],
    ["a JSON string", '"hello"', "hello"],
    ["nothing", "", null],
  ];
  for (const [what, body, wanted] of bodies) {
    test(`${what} reaches subscribers over WebSocket and SSE`, async () => {
      const topic = [[`bodies ${what}`, "news"]] as const;
      const readers = [await socket(topic), await events(topic)];
      const query = new URLSearchParams({ channel: `bodies ${what}`, topic: "news" });
      const { status, json } = await publish(query.toString(), body);
      assert.deepEqual([status, look(json, "data.subscribers")], [200, 2]);
      for (const reader of readers) {
        const message = await reader.next();
        assert.equal(look(message, "kind"), "data");
        assert.equal(look(message, "channel"), `bodies ${what}`);
        assert.equal(look(message, "topic"), "news");
        assert.deepEqual(look(message, "data"), wanted);
        assert.ok(!Number.isNaN(Date.parse(String(look(message, "created_at")))));
        assert.equal(look(message, "fn_id"), undefined);
        reader.close();
      }
    });
  }

  test("JSON keeps the characters that were sent, in one line", async () => {
    const sse = await events([["exact", "t"]]);
    await publish("channel=exact&topic=t", '{"n":12345678901234567890,\r\n"x":1.50}');
    await sse.next();
    assert.match(
      await sse.text(1),
      /^data: .*"data":\{"n":12345678901234567890, "x":1\.50\}\}\n\n$/,
    );
    sse.close();
  });

  test("only topics of a token are delivered, each message once, in order", async () => {
    const reader = await socket([["own", "a"]]);
    await publish("channel=own&topic=b", "1");
    await publish("channel=other&topic=a", "2");
    await publish("channel=own&topic=b&topic=a&run_id=R1&metadata={%22m%22:1}", "3");
    await publish("channel=own&topic=a&metadata=text", "4");
    const [third, fourth] = [await reader.next(), await reader.next()];
    assert.deepEqual([look(third, "data"), look(fourth, "data")], [3, 4]);
    assert.deepEqual([look(third, "run_id"), look(third, "metadata")], ["R1", { m: 1 }]);
    assert.equal(look(fourth, "metadata"), "text");
    reader.close();
  });

  test("who does not listen yet gets nothing later", async () => {
    const { json } = await publish("channel=late&topic=t", "1");
    assert.equal(look(json, "data.subscribers"), 0);
    const reader = await socket([["late", "t"]]);
    await publish("channel=late&topic=t", "2");
    assert.equal(look(await reader.next(), "data"), 2);
    reader.close();
  });

  test("a text stream becomes a start, chunks of whole characters, and an end", async () => {
    const reader = await socket([["stream", "t"]]);
    const text = "€".repeat(1_000);
    const { status } = await publish("channel=stream&topic=t", text, {
      "content-type": "text/stream",
    });
    assert.equal(status, 200);
    const start = await reader.next();
    assert.equal(look(start, "kind"), "datastream-start");
    const id = look(start, "data");
    let received = "";
    for (;;) {
      const message = await reader.next();
      assert.equal(look(message, "channel"), "stream");
      assert.equal(look(message, "topic"), "t");
      if (look(message, "kind") === "datastream-end") {
        assert.equal(look(message, "data"), id);
        break;
      }
      assert.deepEqual([look(message, "kind"), look(message, "stream_id")], ["chunk", id]);
      const chunk = String(look(message, "data"));
      assert.ok(Buffer.byteLength(chunk) <= 1_024 && chunk !== "");
      received += chunk;
    }
    assert.equal(received, text);
    reader.close();
  });

  test("a chunk arrives before the stream has ended", async () => {
    const reader = await socket([["live", "t"]]);
    const source = new TransformStream<Uint8Array, Uint8Array>();
    const writer = source.writable.getWriter();
    const sent = fetch(`${server.url}/v1/realtime/publish?channel=live&topic=t`, {
      method: "POST",
      headers: { "content-type": "text/stream" },
      body: source.readable,
      duplex: "half",
    });
    await writer.write(Buffer.from("first"));
    assert.equal(look(await reader.next(), "kind"), "datastream-start");
    assert.equal(look(await reader.next(), "data"), "first");
    await writer.close();
    assert.equal((await sent).status, 200);
    assert.equal(look(await reader.next(), "kind"), "datastream-end");
    reader.close();
  });

  test("bytes of a tee reach subscribers of $stream as they are", async () => {
    const [reader, sse] = [await socket([["R2", "$stream"]]), await events([["R2", "$stream"]])];
    const bytes = 'event: inngest.stream\ndata: {"data":"hé"}\n\nrest';
    const path = "/v1/realtime/publish/tee?channel=R2";
    const { status } = await ask(server.url, "POST", path, { body: bytes });
    assert.equal(status, 200);
    assert.equal(await sse.text(bytes.length), bytes);
    assert.equal(await reader.bytes(Buffer.byteLength(bytes)), bytes);
    reader.close();
    sse.close();
  });

  const refusals: readonly (readonly [string, string, string, RegExp])[] = [
    ["without a channel", "topic=t", "parameter_invalid", /channel/],
    ["without a topic", "channel=c", "parameter_invalid", /topic/],
    ["with a long name", `channel=c&topic=${"t".repeat(257)}`, "parameter_invalid", /256/],
    ["on a topic of the server", "channel=c&topic=$run", "parameter_invalid", /\$run/],
  ];
  for (const [what, query, code, message] of refusals) {
    test(`nothing is published ${what}`, async () => {
      const { status, json } = await publish(query, "1");
      assert.deepEqual([status, look(json, "code")], [400, code]);
      assert.match(String(look(json, "error")), message);
    });
  }

  test("a message that is too large names limit and setting", async () => {
    const { status, json } = await publish("channel=c&topic=t", "x".repeat(512 * 1024 + 1));
    assert.deepEqual([status, look(json, "code")], [413, "body_too_large"]);
    assert.match(String(look(json, "error")), /524288.*--realtime-message-bytes-max/);
  });
});

suite("what a subscriber says", () => {
  test("another token adds topics, and topics can be left", async () => {
    const reader = await socket([["say", "a"]]);
    reader.send({ kind: "sub", data: await askToken([["say", "b"]]) });
    assert.deepEqual(look(await reader.next(), "data.topics.0.name"), "b");
    await publish("channel=say&topic=b", "1");
    assert.equal(look(await reader.next(), "data"), 1);
    reader.send({ kind: "unsub", data: [{ kind: "run", channel: "say", name: "a" }] });
    assert.equal(look(await reader.next(), "kind"), "unsub");
    await publish("channel=say&topic=a", "2");
    await publish("channel=say&topic=b", "3");
    assert.equal(look(await reader.next(), "data"), 3);
    reader.close();
  });

  test("a bad token adds nothing and takes nothing away", async () => {
    const reader = await socket([["say2", "a"]]);
    reader.send({ kind: "sub", data: "nonsense" });
    const answer = await reader.next();
    assert.deepEqual([look(answer, "kind"), look(answer, "data.code")], ["sub", "token_invalid"]);
    await publish("channel=say2&topic=a", "1");
    assert.equal(look(await reader.next(), "data"), 1);
    reader.send({ kind: "ping" });
    assert.equal(look(await reader.next(), "kind"), "pong");
    reader.close();
  });

  for (const said of ["garbage", '{"kind":"sub"}', "[]", '{"kind":"data","data":1}']) {
    test(`${said} ends the subscription with a code`, async () => {
      const reader = await socket([["say3", "a"]]);
      reader.sendText(said);
      assert.equal((await reader.closed).code, 1008);
    });
  }

  test("a message that is too long ends it, too", async () => {
    const reader = await socket([["say4", "a"]]);
    reader.sendText("x".repeat(65 * 1024));
    assert.equal((await reader.closed).code, 1009);
  });

  test("bytes that are no WebSocket hurt nobody", async () => {
    const token = await askToken([["say5", "a"]]);
    const head = [
      `GET /v1/realtime/connect?token=${token} HTTP/1.1`,
      "host: x",
      "connection: upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    const ended = await raw(`${head.join("\r\n")}\r\n\r\n\xff\xff\xff\xff garbage`);
    assert.match(ended, /^HTTP\/1\.1 101 /);
    const noKey = await raw(`${head.slice(0, 4).join("\r\n")}\r\n\r\n`);
    assert.match(noKey, /^HTTP\/1\.1 400 /);
    const elsewhere = [`GET /v1/runs HTTP/1.1`, ...head.slice(1)].join("\r\n");
    assert.match(await raw(`${elsewhere}\r\n\r\n`), /^HTTP\/1\.1 400 .*upgrade_unsupported/s);
    assert.equal((await ask(server.url, "GET", "/health")).status, 200);
  });
});

test("whatever comes behind an upgrade, the server goes on", async () => {
  const token = await askToken([["fuzz", "t"]]);
  const head = [
    `GET /v1/realtime/connect?token=${token} HTTP/1.1`,
    "host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ].join("\r\n");
  const masked = fc.uint8Array({ maxLength: 60 }).map((bytes) => {
    const text = Buffer.from(bytes).toString("latin1");
    // Half of them are frames that are whole, with a mask of zeros: what is in them is garbage.
    return `\x81${String.fromCharCode(0x80 | text.length)}\0\0\0\0${text}`;
  });
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
  const any = bytes.map((each) => Buffer.from(each).toString("latin1"));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(any, masked), { minLength: 1 }), async (pieces) => {
      assert.match(await raw(head, pieces.join("")), /^HTTP\/1\.1 101 /);
    }),
    { numRuns: 60 },
  );
  assert.equal((await ask(server.url, "GET", "/health")).status, 200);
});

/** What comes back until the connection ends; `last` is sent behind the first of it, and then no more. */
function raw(text: string, last: string | null = null): Promise<string> {
  return new Promise((resolve) => {
    const opened = connect({ host: "127.0.0.1", port: server.port });
    let received = "";
    opened.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    opened.on("close", () => resolve(received)).on("error", () => undefined);
    if (last !== null) opened.once("data", () => void opened.end(last, "latin1"));
    opened.write(text, "latin1");
  });
}

suite("what the server publishes", () => {
  const stepId = "0b9f1cd9bda8e3aa3ef8a0fee1f4b1ed8a2e3c3d";
  const opcode = (data: object): string =>
    JSON.stringify([
      { op: "StepRun", id: stepId, displayName: "Load it", userland: { id: "load" }, ...data },
    ]);

  /** Starts a run whose first call is answered once somebody listens; its id, and how to answer. */
  async function held(first: string, last: string): Promise<{ runId: string; go: () => void }> {
    const gate = Promise.withResolvers<void>();
    const called = Promise.withResolvers<string>();
    app.answerCall = async (call) => {
      if (look(call, `steps.${stepId}`) !== undefined) return { status: 200, body: last };
      called.resolve(String(look(call, "ctx.run_id")));
      await gate.promise;
      return { status: 206, body: first };
    };
    await ask(server.url, "POST", "/e/key", { body: '{"name":"greet"}' });
    return { runId: await called.promise, go: gate.resolve };
  }

  test("steps under their id and under $step, then the end of the run", async () => {
    const { runId, go } = await held(opcode({ data: { n: 1.5 } }), '{"done":true}');
    const reader = await socket([
      [runId, "$run"],
      [runId, "$step"],
      [runId, "load"],
    ]);
    const sse = await events([[runId, "$run"]]);
    go();
    for (const topic of ["$step", "load"]) {
      const step = await reader.next();
      assert.deepEqual([look(step, "kind"), look(step, "topic")], ["step", topic]);
      assert.deepEqual(look(step, "data"), { n: 1.5 });
      assert.deepEqual([look(step, "channel"), look(step, "run_id")], [runId, runId]);
      assert.equal(look(step, "fn_slug"), "shop-greet");
      const said = ["name", "status", "step_id"].map((key) => look(step, `metadata.${key}`));
      assert.deepEqual(said, ["Load it", "completed", stepId]);
    }
    for (const one of [reader, sse]) {
      const end = await one.next();
      assert.deepEqual([look(end, "kind"), look(end, "topic")], ["run", "$run"]);
      assert.deepEqual(look(end, "data"), { status: "completed", result: { done: true } });
      one.close();
    }
  });

  test("an output that is too large for a message is left out, and its size told", async () => {
    const { runId, go } = await held(opcode({ data: "x".repeat(600_000) }), '"hello"');
    const reader = await socket([[runId, "load"]]);
    go();
    const step = await reader.next();
    assert.equal(look(step, "data"), null);
    assert.ok(Number(look(step, "metadata.omitted_bytes")) > 600_000);
    reader.close();
  });

  test("a run that is cancelled ends with its error", async () => {
    const { runId, go } = await held(opcode({ data: null }), '"hello"');
    const reader = await socket([[runId, "$run"]]);
    await ask(server.url, "DELETE", `/v1/runs/${runId}`);
    const end = await reader.next();
    assert.equal(look(end, "data.status"), "cancelled");
    assert.equal(look(end, "data.error.code"), "run_cancelled");
    go();
    reader.close();
  });
});

test("/metrics counts subscribers and messages", async () => {
  const reader = await socket([["m", "t"]]);
  await publish("channel=m&topic=t", "1");
  await reader.next();
  const text = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(text, /pawl_realtime_subscribers\{transport="websocket"\} [1-9]/);
  assert.match(text, /pawl_realtime_messages_total [1-9]/);
  assert.match(text, /pawl_realtime_subscribers_dropped_total\{reason="misbehaved"\} [1-9]/);
  reader.close();
});

test("when nobody is left, no commit is listened to and nothing is held", async () => {
  await until(
    async () => (await fetch(`${server.url}/metrics`)).text(),
    (text) => /pawl_realtime_subscribers\{transport="websocket"\} 0/.test(text),
  );
  const text = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(text, /pawl_realtime_subscribers\{transport="sse"\} 0/);
  assert.match(text, /pawl_realtime_waiting_bytes 0/);
});

test("a server that stops says so, and open subscriptions do not hold it up", async () => {
  const stopping = await startServer({ store: createMemoryStore() });
  const [reader, sse] = [
    await socket([["c", "t"]], stopping),
    await events([["c", "t"]], stopping),
  ];
  const stopped = stopping.close();
  for (const one of [reader, sse]) assert.equal(look(await one.next(), "kind"), "closing");
  assert.equal((await reader.closed).code, 1001);
  await sse.ended;
  await stopped;
});
