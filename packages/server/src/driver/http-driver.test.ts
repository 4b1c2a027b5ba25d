import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { after, test } from "node:test";
import type { Answer } from "@pawl/protocol/answer";
import { systemClock } from "../loop/clock.ts";
import type { Call } from "./driver.ts";
import { defaultHttpDriverOptions, HttpDriver, type HttpDriverOptions } from "./http-driver.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const open: { close(): Promise<void> }[] = [];
after(async () => {
  for (const thing of open) await thing.close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: it listens on TCP
  open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
  return `http://127.0.0.1:${port}`;
}

function app(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => handler(request, response, body));
  });
  open.unshift({ close: async () => server.closeAllConnections() });
  return listen(server);
}

const sdk = { "x-inngest-sdk": "js:v4.24.0", "x-inngest-req-version": "2" };

function driver(options: Partial<HttpDriverOptions> = {}): HttpDriver {
  const made = new HttpDriver({ ...defaultHttpDriverOptions(systemClock), ...options });
  open.unshift(made);
  return made;
}

function call(url: string, more: Partial<Call> = {}): Call {
  const requestId = "01J00000000000000000000000";
  return {
    url,
    gateway: null,
    body: '{"b":1,"a":2}',
    functionId: "fn",
    appId: "app",
    runId: "run",
    jobId: "step",
    generation: 3,
    requestId,
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "inngest@app=app,inngest@fn=fn",
    timeoutMs: 5_000,
    ...more,
  };
}

function errorOf(answer: Answer): { code: string; message: string } {
  assert.equal(answer.kind, "failed");
  // proof: every error that a driver finds has these.
  return JSON.parse(answer.kind === "failed" ? answer.error : "") as {
    code: string;
    message: string;
  };
}

test("a call is a POST with the headers of the protocol; 200 is a result", async () => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const url = await app((request, response, body) => {
    seen.push({ request, body });
    response.writeHead(200, sdk).end('{"n":12345678901234567890}');
  });
  const answer = await driver().carry(call(`${url}/api?fnId=a-b&stepId=step`)).answer;
  assert.deepEqual(answer, {
    kind: "completed",
    memo: '{"data":{"n":12345678901234567890}}',
    requestVersion: 2,
  });
  assert.ok(seen[0]);
  const { method, url: path, headers } = seen[0].request;
  assert.deepEqual(
    [method, path, seen[0].body],
    ["POST", "/api?fnId=a-b&stepId=step", '{"b":1,"a":2}'],
  );
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["x-request-id"], "01J00000000000000000000000");
  assert.equal(headers["x-inngest-job-id"], "step");
  assert.match(String(headers["traceparent"]), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.equal(headers["tracestate"], "inngest@app=app,inngest@fn=fn");
  assert.equal(headers["x-inngest-generation-id"], "3");
  assert.equal(headers["x-inngest-server-kind"], "dev");
  assert.equal(headers["x-inngest-signature"], undefined);
});

test("206 brings opcodes, in many chunks as in one", async () => {
  const url = await app((_request, response) => {
    response.writeHead(206, sdk);
    const text = JSON.stringify([{ op: "StepRun", id: "abc", data: "größer ✓" }]);
    const bytes = Buffer.from(text);
    for (const byte of bytes) response.write(Buffer.of(byte));
    response.end();
  });
  const answer = await driver().carry(call(url)).answer;
  assert.ok(answer.kind === "opcodes" && answer.opcodes[0]?.op === "StepRun");
  assert.equal(answer.opcodes[0].memo, '{"data":"größer ✓"}');
});

test("201 streams heartbeats and then the answer", async () => {
  const url = await app((_request, response) => {
    response.writeHead(201, sdk);
    response.write("  ");
    response.write("\n");
    response.end(JSON.stringify({ status: 200, headers: sdk, body: '"late"' }));
  });
  assert.deepEqual(await driver().carry(call(url)).answer, {
    kind: "completed",
    memo: '{"data":"late"}',
    requestVersion: 2,
  });
});

test("a web page is a failure that says so", async () => {
  const url = await app((_request, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end("<html>Login</html>"),
  );
  assert.equal(errorOf(await driver().carry(call(url)).answer).code, "not_sdk");
});

test("half a body is a failure, with and without a length", async () => {
  const withLength = await app((_request, response) => {
    response.writeHead(200, { ...sdk, "content-length": "100" });
    response.write('{"half":', () => response.destroy());
  });
  const chunked = await app((_request, response) => {
    response.writeHead(200, sdk);
    response.write('{"half":', () => response.destroy());
  });
  for (const url of [withLength, chunked]) {
    const error = errorOf(await driver().carry(call(url)).answer);
    assert.equal(error.code, "http_body_incomplete");
    assert.match(error.message, /in the middle of the answer/);
  }
});

test("a connection that ends without an answer is a failure", async () => {
  const url = await app((request) => request.socket.destroy());
  assert.match(errorOf(await driver().carry(call(url)).answer).message, /before an answer came/);
});

test("something that does not speak HTTP is a failure", async () => {
  const url = await listen(
    createTcpServer((socket) =>
      socket
        .on("error", () => undefined)
        .resume()
        .end("SSH-2.0-OpenSSH_9.2\r\n"),
    ),
  );
  assert.equal(errorOf(await driver().carry(call(url)).answer).code, "http_answer_malformed");
});

test("an app that never answers meets the time limit, before or within its answer", async () => {
  const silent = await app(() => undefined);
  const stuck = await app((_request, response) => response.writeHead(201, sdk).write(" "));
  for (const url of [silent, stuck]) {
    const error = errorOf(await driver().carry(call(url, { timeoutMs: 50 })).answer);
    assert.equal(error.code, "http_timeout");
    assert.match(error.message, /0.05 s/);
  }
});

test("nobody listening is a failure that names the address and the cause, not the query", async () => {
  const server = createTcpServer();
  const url = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  const error = errorOf(await driver().carry(call(`${url}/api?token=secret`)).answer);
  assert.equal(error.code, "http_unreachable");
  assert.match(error.message, /ECONNREFUSED/);
  assert.ok(error.message.includes(`${url}/api`) && !error.message.includes("secret"));
});

test("an answer beyond the limit is cut off and not retried", async () => {
  const url = await app((_request, response) => {
    response.on("error", () => undefined);
    response.writeHead(200, sdk).end(`"${"x".repeat(300_000)}"`);
  });
  const answer = await driver({ answerBytesMax: 100_000 }).carry(call(url)).answer;
  assert.equal(errorOf(answer).code, "output_too_large");
  assert.ok(answer.kind === "failed" && answer.noRetry);
});

test("redirects keep method, body, headers and query, to other origins, too", async () => {
  const target = await app((request, response, body) => {
    const seen = {
      method: request.method,
      url: request.url,
      body,
      id: request.headers["x-request-id"],
    };
    response.writeHead(200, sdk).end(JSON.stringify(seen));
  });
  for (const status of [301, 302, 303, 307, 308]) {
    const url = await app((_request, response) =>
      response.writeHead(status, { location: `${target}/new?x=1` }).end("moved"),
    );
    const answer = await driver().carry(call(`${url}/old?fnId=f&stepId=step`)).answer;
    assert.ok(answer.kind === "completed");
    assert.deepEqual(JSON.parse(answer.memo), {
      data: {
        method: "POST",
        url: "/new?x=1&fnId=f&stepId=step",
        body: '{"b":1,"a":2}',
        id: "01J00000000000000000000000",
      },
    });
  }
});

test("redirects without end, or to elsewhere than HTTP, are failures", async () => {
  let requests = 0;
  const circle = await app((request, response) => {
    requests++;
    response.writeHead(307, { location: request.url ?? "/" }).end();
  });
  assert.equal(errorOf(await driver().carry(call(circle)).answer).code, "http_redirect_invalid");
  assert.equal(requests, 11);
  const file = await app((_request, response) =>
    response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  );
  assert.equal(errorOf(await driver().carry(call(file)).answer).code, "http_redirect_invalid");
});

test("a call that is given up ends its connection and never answers", async () => {
  let closed: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (closed = resolve));
  let arrived: () => void = () => undefined;
  const there = new Promise<void>((resolve) => (arrived = resolve));
  const url = await app((request) => {
    request.socket.on("close", closed);
    arrived();
  });
  const carriage = driver().carry(call(url));
  await there;
  carriage.abort();
  await gone;
  const outcome = await Promise.race([
    carriage.answer.then(() => "answered"),
    new Promise((resolve) => setImmediate(() => resolve("silent"))),
  ]);
  assert.equal(outcome, "silent");
});

test("a slow app does not delay another one at the same origin", async () => {
  const url = await app((request, response) => {
    if (request.url === "/fast") response.writeHead(200, sdk).end("1");
  });
  const shared = driver({ pools: { connectionsMax: 1, connectTimeoutMs: 1_000, poolsMax: 8 } });
  const slow = shared.carry(call(`${url}/slow`, { appId: "slow" }));
  assert.equal(
    (await shared.carry(call(`${url}/fast`, { appId: "fast" })).answer).kind,
    "completed",
  );
  slow.abort();
});

const key = "signkey-test-deadbeef";

function sign(body: string, at = Date.now(), hex = "deadbeef"): string {
  const seconds = Math.floor(at / 1_000);
  return `t=${seconds}&s=${createHmac("sha256", hex)
    .update(body + seconds)
    .digest("hex")}`;
}

test("calls are signed over their canonical body, and answers are believed by their signature", async () => {
  let signature = "";
  const url = await app((request, response) => {
    signature = String(request.headers["x-inngest-signature"]);
    const answerSignature = new URL(request.url ?? "", "http://x").searchParams.get("s");
    const headers =
      answerSignature === null ? sdk : { ...sdk, "x-inngest-signature": answerSignature };
    response.writeHead(200, headers).end("1");
  });
  const signing = { key, fallbackKey: "signkey-test-0badcafe", requireSignedAnswers: true };
  const strict = driver({ signing, serverKind: "cloud" });
  const outcome = async (s: string | null, by = strict): Promise<string> => {
    const answer = await by.carry(call(s === null ? url : `${url}/?s=${encodeURIComponent(s)}`))
      .answer;
    return answer.kind === "failed" ? errorOf(answer).code : answer.kind;
  };
  assert.equal(await outcome(sign("1")), "completed");
  const at = Number(/t=(\d+)/.exec(signature)?.[1]) * 1_000;
  assert.equal(signature, sign('{"a":2,"b":1}', at));
  assert.equal(
    await outcome(sign("1", Date.now(), "0badcafe")),
    "completed",
    "signed with the fallback key",
  );
  assert.equal(await outcome(sign("2")), "sig_verification_failed");
  assert.equal(await outcome(sign("1", Date.now() - 600_000)), "sig_verification_failed");
  assert.equal(await outcome(null), "sig_verification_failed");
  const lenient = driver({ signing: { ...signing, requireSignedAnswers: false } });
  assert.equal(await outcome(null, lenient), "completed");
  assert.equal(await outcome(sign("2"), lenient), "sig_verification_failed");
});

test("a streamed answer is believed by the signature inside", async () => {
  const url = await app((request, response) => {
    const headers = {
      ...sdk,
      "x-inngest-signature": sign(request.url === "/good" ? '"ok"' : "other"),
    };
    response.writeHead(201, sdk).end(` ${JSON.stringify({ status: 200, headers, body: '"ok"' })}`);
  });
  const strict = driver({ signing: { key, fallbackKey: null, requireSignedAnswers: true } });
  assert.equal((await strict.carry(call(`${url}/good`)).answer).kind, "completed");
  assert.equal(
    errorOf(await strict.carry(call(`${url}/bad`)).answer).code,
    "sig_verification_failed",
  );
});
