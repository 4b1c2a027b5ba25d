// Apps that answer something else than they should, or nothing, on a real server: the run says
// what was wrong, is tried again, and ends; nobody else is held up.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hashStepId } from "@pawl/protocol/step-id";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually, pause } from "../support/poll.ts";
import { examine } from "../crash/doctor.ts";
import { memoOf, opcodes, returned, WireApp, type Reply, type WireCall } from "./wire-app.ts";

let server: PawlServer;
let app: WireApp;
let other: WireApp;
/** What the first call of the run is answered with. */
let first: (call: WireCall) => Reply;

before(async () => {
  server = await PawlServer.start({ flags: ["--retry-interval", "0"] });
  const functions = [{ id: "odd", event: "bugs/odd", retries: 1 }];
  app = await WireApp.start("bad", functions, (call) =>
    call.attempt === 0 ? first(call) : returned("well"),
  );
  other = await WireApp.start("good", [{ id: "even", event: "bugs/even" }], () => returned("well"));
  await app.register(server.url);
  await other.register(server.url);
});

after(async () => {
  await server.stop("SIGKILL");
  await app.close();
  await other.close();
});

function raw(head: string, body: string): (call: WireCall) => Reply {
  return ({ response }) => {
    response.socket?.end(`${head}\r\n\r\n${body}`);
    return null;
  };
}

const sdk = "x-inngest-sdk: js:v4.24.0";
const html = "<!doctype html><html><body>502 Bad Gateway</body></html>";

const odd: Readonly<Record<string, (call: WireCall) => Reply>> = {
  "HTML with status 200 and no SDK header": raw(
    `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${String(html.length)}`,
    html,
  ),
  "HTML with status 502": raw(
    `HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: ${String(html.length)}`,
    html,
  ),
  "HTML in the name of an SDK": () => ({ status: 200, body: html }),
  "half a body": raw(`HTTP/1.1 200 OK\r\n${sdk}\r\ncontent-length: 1000`, '{"half":'),
  "half a chunked body": raw(
    `HTTP/1.1 206 Partial Content\r\n${sdk}\r\ntransfer-encoding: chunked`,
    '10\r\n[{"id":"a","op":\r\n',
  ),
  "no HTTP at all": ({ response }) => {
    response.socket?.end("SSH-2.0-OpenSSH_9.6\r\n");
    return null;
  },
  "an empty body with status 206": () => ({ status: 206, body: "" }),
  "opcodes that are no opcodes": () => ({ status: 206, body: [{ op: 1 }, 7, null] }),
  "a closed connection": ({ response }) => {
    response.destroy();
    return null;
  },
  "a body with broken UTF-8": raw(
    `HTTP/1.1 206 Partial Content\r\n${sdk}\r\ncontent-length: 4`,
    '[{"\u0001',
  ),
  "a stream that ends without an answer": raw(
    `HTTP/1.1 201 Created\r\n${sdk}\r\ncontent-length: 3`,
    "   ",
  ),
  "a status that is none": raw(`HTTP/1.1 999 Odd\r\n${sdk}\r\ncontent-length: 2`, "{}"),
};

for (const [name, answer] of Object.entries(odd)) {
  test(`bug class 20: ${name}`, async () => {
    first = answer;
    const calls = app.calls.length;
    const run = await server.api.runOf({ name: "bugs/odd" });
    assert.deepEqual([run.status, run.output], ["Completed", "well"]);
    assert.equal(app.calls.length - calls, 2, "one call more");
  });
}

test("bug class 20: an opcode that nobody knows becomes an error of its step", async () => {
  const op = { id: hashStepId("jump", 0), displayName: "jump", op: "Teleport" };
  first = (call) =>
    memoOf(call, "jump") === undefined ? opcodes(op) : returned(memoOf(call, "jump"));
  const run = await server.api.runOf({ name: "bugs/odd" });
  assert.equal(run.status, "Completed");
  assert.match(JSON.stringify(run.output), /opcode_unsupported.*Teleport/);
});

test("bug class 20: an app that never answers holds up nobody else, and its run can be cancelled", async () => {
  const hung: WireCall[] = [];
  first = (call) => {
    hung.push(call);
    return null;
  };
  const count = 40;
  const started = await server.api.send(
    Array.from({ length: count }, () => ({ name: "bugs/odd" })),
  );
  await eventually("all are called", () => hung.length === count);
  assert.equal((await server.api.runOf({ name: "bugs/even" })).output, "well");
  const closed = Promise.all(
    hung.map(({ response }) => new Promise((resolve) => response.once("close", resolve))),
  );
  await Promise.all(hung.map(({ runId }) => server.api.cancel(runId)));
  await closed;
  for (const eventId of started) {
    assert.equal((await server.api.ended(eventId))[0]?.status, "Cancelled");
  }
});

test("bug class 20: an app that stops in the middle of its body holds up nobody else", async () => {
  first = ({ response }) => {
    response.writeHead(200, { "x-inngest-sdk": "js:v4.24.0", "content-type": "application/json" });
    response.write('{"half":');
    return null;
  };
  const eventId = await server.api.sendOne({ name: "bugs/odd" });
  await pause(200);
  assert.equal((await server.api.runOf({ name: "bugs/even" })).output, "well");
  const [run] = await server.api.runsOf(eventId);
  assert.equal(run?.status, "Running");
  await server.api.cancel(run.run_id);
  assert.equal((await server.api.ended(eventId))[0]?.status, "Cancelled");
});

test("bug class 20: an app that is garbage to the end fails its run, and says why", async () => {
  const functions = [{ id: "lost", event: "bugs/lost", retries: 2 }];
  const lost = await WireApp.start(
    "lost",
    functions,
    raw("HTTP/1.1 200 OK\r\ncontent-length: 5", "hello"),
  );
  await lost.register(server.url);
  const run = await server.api.runOf({ name: "bugs/lost" });
  assert.equal(run.status, "Failed");
  assert.match(JSON.stringify(run.output), /not_sdk/);
  assert.equal(lost.calls.length, 3);
  await lost.close();
});

test("bug class 20: nothing of all that is left", async () => {
  assert.equal((await server.stop()).code, 0);
  const { code, unfinished, output } = await examine(server.dir);
  assert.deepEqual([code, unfinished], [0, 0], output);
});
