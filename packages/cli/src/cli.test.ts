// Real processes on free ports, with stores in temporary folders.
import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { toJsonText } from "@pawl/protocol/json-text";
import { look, lookArray, until } from "@pawl/server/http/test-client";
import { startCollectorStub } from "@pawl/server/otlp/collector-stub";
import { register, startAppStub } from "@pawl/server/sync/app-stub";
import { createSqliteStore } from "@pawl/store-sqlite/sqlite-store";
import { storePath } from "./store-path.ts";

const bin = fileURLToPath(new URL("../bin/pawl.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pawl-cli-"));
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});
after(() => rmSync(folder, { recursive: true, force: true }));

const environment = { PATH: process.env["PATH"] ?? "" };

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command that ends by itself. */
function pawl(
  args: readonly string[],
  more: { input?: string; env?: Record<string, string>; cwd?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd: more.cwd ?? folder, env: { ...environment, ...more.env } };
    const child = execFile(process.execPath, [bin, ...args], options, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
      resolve({ code, out, err });
    });
    child.stdin?.end(more.input ?? "");
  });
}

interface Running {
  readonly url: string;
  readonly child: ChildProcess;
  /** All lines so far. */
  readonly lines: string[];
  line(wanted: (line: string) => boolean): Promise<string>;
  readonly exit: Promise<{ code: number | null; signal: string | null }>;
}

/** Starts a server on a free port and waits until it listens. */
async function serve(args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [bin, ...args, "--port", "0", "--json"], {
    cwd: folder,
    env: { ...environment, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(child);
  const lines: string[] = [];
  const waiting: { wanted: (line: string) => boolean; resolve: (line: string) => void }[] = [];
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      lines.push(part);
      for (const wait of waiting) if (wait.wanted(part)) wait.resolve(part);
    }
  });
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on("exit", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  const line = (wanted: (text: string) => boolean) =>
    new Promise<string>((resolve, reject) => {
      const found = lines.find(wanted);
      if (found !== undefined) return resolve(found);
      waiting.push({ wanted, resolve });
      void exit.then(() => reject(new Error(`the server ended:\n${lines.join("\n")}`)));
    });
  const ready: unknown = JSON.parse(await line((text) => text.includes('"url"')));
  return { url: String(look(ready, "url")), child, lines, line, exit };
}

function dir(name: string): string {
  return join(folder, name);
}

test("an event sent to a server is there after a restart", async () => {
  const first = await serve(["dev", "--no-discovery", "--dir", dir("durable")]);
  const sent = await pawl(["send", "a/b", '{"n":12345678901234567890}', "--url", first.url]);
  assert.equal(sent.code, 0, sent.err);
  first.child.kill("SIGTERM");
  assert.deepEqual(await first.exit, { code: 0, signal: null });
  const second = await serve(["dev", "--no-discovery", "--dir", dir("durable")]);
  const text = await (await fetch(`${second.url}/v1/events`)).text();
  assert.ok(text.includes(sent.out.trim()));
  assert.ok(text.includes('"data":{"n":12345678901234567890}'));
  second.child.kill("SIGKILL");
  await second.exit;
  const doctor = await pawl(["doctor", "--dir", dir("durable"), "--json"]);
  assert.equal(doctor.code, 0, doctor.err);
  const findings: unknown = JSON.parse(doctor.out);
  assert.deepEqual(
    ["damage", "problems", "sizes.tables.events"].map((path) => look(findings, path)),
    [[], [], 1],
  );
});

test("the doctor finds runs without a wake-up, fixes them on demand, and leaves nothing behind", async () => {
  const path = storePath(dir("sick"));
  const server = await serve(["dev", "--no-discovery", "--dir", dir("sick")]);
  server.child.kill("SIGTERM");
  await server.exit;
  const runId = "01M805BZQC09NFEZWG9TZ2K2WP";
  const store = createSqliteStore({ path });
  const fence = await store.open();
  const event = {
    id: runId,
    name: "a",
    externalId: null,
    ts: 1,
    receivedAt: 1,
    user: null,
    version: null,
    meta: null,
  };
  const changes = [
    { type: "event.put", event: { ...event, data: toJsonText({}) }, keys: [] },
    {
      type: "run.put",
      run: {
        id: runId,
        functionId: "00000000-0000-5000-8000-000000000001",
        appId: "00000000-0000-5000-8000-000000000002",
        functionVersion: 1,
        status: "running",
        eventIds: [runId],
        eventName: "a",
        queuedAt: 1,
        startedAt: 1,
        endedAt: null,
        requestVersion: 2,
        forcePlan: false,
        generation: 1,
        idleDiscoveries: 0,
        parent: null,
        originalRunId: null,
        endReason: null,
        coParents: [],
        gates: [],
        holds: [],
        priorityMs: 0,
        batchId: null,
        schedule: null,
      },
    },
  ] as const;
  await store.commit(changes, fence);
  await store.close();
  const found = await pawl(["doctor", "--dir", dir("sick")]);
  assert.equal(found.code, 1);
  assert.match(found.out, new RegExp(`problem: .*${runId}`));
  assert.match(found.out, /pawl doctor --fix/);
  const fixed = await pawl(["doctor", "--dir", dir("sick"), "--fix", "--json"]);
  assert.equal(fixed.code, 0, fixed.out + fixed.err);
  assert.equal(look(JSON.parse(fixed.out), "repaired"), 1);
  assert.equal((await pawl(["doctor", "--dir", dir("sick")])).code, 0);
});

test("the doctor does not touch the store of a running server, nor make one", async () => {
  const server = await serve(["dev", "--no-discovery", "--dir", dir("busy")]);
  const doctor = await pawl(["doctor", "--dir", dir("busy")]);
  assert.equal(doctor.code, 1);
  assert.match(doctor.err, /store_locked/);
  const none = await pawl(["doctor", "--dir", dir("none")]);
  assert.equal(none.code, 1);
  assert.match(none.err, /There is no store/);
  assert.equal(existsSync(dir("none")), false);
  server.child.kill("SIGTERM");
  await server.exit;
});

test("traces go to the collector of the environment, and its headers into no log", async () => {
  const collector = await startCollectorStub();
  const app = await startAppStub("shop");
  const server = await serve(
    ["dev", "--no-discovery", "--in-memory", "--otlp-service-name", "till", "--log-level", "debug"],
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=t1",
      PAWL_OTLP_HEADER: "authorization=Bearer%20s3cret",
    },
  );
  try {
    app.serverUrl = server.url;
    assert.equal((await register(app, "shop")).status, 200);
    await fetch(`${server.url}/e/key`, { method: "POST", body: '{"name":"greet"}' });
    const [span] = await until(
      () => collector.spans,
      ({ length }) => length > 0,
    );
    assert.equal(span?.name, "Greet");
    assert.equal(collector.resource.get("service.name"), "till");
    const { headers } = collector.requests[0] ?? {};
    assert.equal(headers?.authorization, "Bearer s3cret");
    assert.equal(headers["x-tenant"], "t1");
    assert.ok(!server.lines.join("\n").includes("s3cret"));
    const call = app.headers[0];
    assert.match(String(call?.["traceparent"]), new RegExp(`^00-${String(span.traceId)}-`));
  } finally {
    server.child.kill("SIGTERM");
    await server.exit;
    await app.close();
    await collector.close();
  }
});

test("a port that is taken is named together with the flag, and the exit code is 1", async () => {
  const server = await serve(["dev", "--no-discovery", "--in-memory"]);
  const port = new URL(server.url).port;
  const other = await pawl(["dev", "--in-memory", "--no-discovery", "--port", port]);
  assert.equal(other.code, 1);
  assert.match(other.err, new RegExp(`Port ${port} is already in use.*--port`));
  server.child.kill("SIGTERM");
  await server.exit;
});

test("the second signal ends the process at once, with code 1", async () => {
  const called = Promise.withResolvers<void>();
  const app = createServer((request, response) => {
    response.setHeader("x-inngest-sdk", "js:v4.24.0");
    if (request.method === "POST") return called.resolve(); // never answered
    const { port } = app.address() as AddressInfo; // proof: it listens
    const url = `http://127.0.0.1:${String(port)}/api/pawl`;
    const steps = {
      step: { id: "step", name: "step", runtime: { type: "http", url: `${url}?fnId=hang-fn` } },
    };
    const functions = [{ id: "hang-fn", name: "fn", triggers: [{ event: "go" }], steps }];
    response.setHeader("x-inngest-sync-kind", "in_band");
    response.end(JSON.stringify({ app_id: "hang", url, functions }));
  });
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  const { port } = app.address() as AddressInfo; // proof: it listens
  const url = `http://127.0.0.1:${String(port)}/api/pawl`;
  const server = await serve(["dev", "--no-discovery", "--in-memory", "-u", url]);
  for (let functions = 0; functions === 0; ) {
    functions = lookArray(await (await fetch(`${server.url}/dev`)).json(), "functions").length;
  }
  await fetch(`${server.url}/e/k`, { method: "POST", body: '{"name":"go"}' });
  await called.promise;
  server.child.kill("SIGTERM");
  await server.line((line) => line.includes("SIGTERM"));
  assert.equal(server.child.exitCode, null);
  server.child.kill("SIGINT");
  assert.deepEqual(await server.exit, { code: 1, signal: null });
  app.closeAllConnections();
  app.close();
});

test("a production server takes keys from flags and environment, and never prints them", async () => {
  const key = "signkey-prod-00112233445566778899";
  const server = await serve(["start", "--in-memory", "--event-key", "ek-secret"], {
    PAWL_SIGNING_KEY: key,
  });
  const refused = await pawl(["send", "a", "--url", server.url, "--event-key", "wrong"]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /401.*Event key not found/);
  const sent = await pawl(["send", "a", "--url", server.url], {
    env: { PAWL_EVENT_KEY: "ek-secret" },
  });
  assert.equal(sent.code, 0, sent.err);
  const authorization = `Bearer ${key}`;
  assert.equal((await fetch(`${server.url}/v1/events`)).status, 401);
  assert.equal(
    (await fetch(`${server.url}/v1/events`, { headers: { authorization } })).status,
    200,
  );
  server.child.kill("SIGTERM");
  await server.exit;
  assert.doesNotMatch(server.lines.join("\n"), /ek-secret|00112233/);
});

test("a key that was created opens what its scopes name, and the log calls it by its name", async () => {
  const made = await pawl(["keys", "create", "--name", "ci", "--scopes", "runs:read,events:read"]);
  assert.equal(made.code, 0, made.err);
  const key = /pawl-key-[\w-]{43}/.exec(made.out)?.[0] ?? "";
  const config = /PAWL_API_KEYS='(.*)'/.exec(made.out)?.[1] ?? "";
  assert.doesNotMatch(config, /pawl-key-/);
  const server = await serve(["start", "--in-memory", "--signing-key", "0badc0de"], {
    PAWL_API_KEYS: config,
  });
  const headers = { authorization: `Bearer ${key}` };
  assert.equal((await fetch(`${server.url}/v1/runs`, { headers })).status, 200);
  const refused = await fetch(`${server.url}/v1/functions`, { headers });
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /apps:read/);
  const line: unknown = JSON.parse(await server.line((text) => text.includes("was refused")));
  assert.deepEqual([look(line, "key"), look(line, "route")], ["ci", "/v1/functions"]);
  server.child.kill("SIGTERM");
  await server.exit;
  assert.ok(!server.lines.join("\n").includes(key));
});

test("keys end when they should, are as JSON when asked, and never twice the same", async () => {
  const args = ["keys", "create", "--name", "x", "--scopes", "admin", "--json", "--expires", "2d"];
  const [first, second] = await Promise.all([pawl(args), pawl(args)]);
  assert.equal(first.code, 0, first.err);
  const json: unknown = JSON.parse(first.out);
  assert.ok(Date.parse(String(look(json, "entry.expiresAt"))) > Date.now() + 86_400_000);
  assert.notEqual(look(json, "key"), look(JSON.parse(second.out), "key"));
});

test("options come from a config file, too", async () => {
  const home = mkdtempSync(join(folder, "configured-"));
  writeFileSync(join(home, "pawl.yaml"), "dir: data\nno-discovery: true\nlog-level: loud\n");
  const refused = await pawl(["dev"], { cwd: home });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /"log-level" in .*pawl\.yaml must be one of/);
  writeFileSync(join(home, "pawl.yaml"), "dir: data\n");
  const doctor = await pawl(["doctor"], { cwd: home });
  assert.match(doctor.err, new RegExp(`There is no store at ${join(home, "data")}`));
});

test("schedules are made, listed, paused, resumed, started and deleted", async () => {
  const server = await serve(["dev", "--in-memory", "--no-discovery"]);
  const schedules = (...args: readonly string[]): Promise<Outcome> =>
    pawl(["schedules", ...args, "--url", server.url]);
  assert.equal((await schedules("list")).out, "There are no schedules.\n");
  const big = '{"n":12345678901234567890}';
  const made = await schedules("create", "a:1", "--every", "1h", "--event", "x/y", "--data", big);
  assert.equal(made.code, 0, made.err);
  const cron = ["--cron", "0 9 * * *", "--timezone", "Asia/Tokyo", "--event", "x/y", "--json"];
  assert.match((await schedules("create", "b", ...cron)).out, /"timezone":"Asia\/Tokyo"/);
  const listed = await schedules("list");
  assert.match(listed.out, /^ID +WHEN +WHAT +NEXT/);
  assert.match(listed.out, /\na:1 +every 1h +x\/y +\d{4}-/);
  assert.match(listed.out, /\nb +0 9 \* \* \* \(Asia\/Tokyo\) +x\/y /);
  assert.match((await schedules("pause", "b", "--reason", "why")).out, / paused /);
  assert.match((await schedules("resume", "b", "--json")).out, /"paused":false/);
  assert.match((await schedules("trigger", "a:1", "--json")).out, /"fired":1/);
  assert.equal((await schedules("delete", "b")).out, "b is deleted\n");
  const gone = await schedules("delete", "b");
  assert.deepEqual([gone.code, gone.out], [1, ""]);
  assert.match(gone.err, /refused \(404\): There is no schedule "b"/);
  const refused = await schedules("create", "c", "--every", "1ms", "--event", "x");
  assert.match(refused.err, /from 1s to 366d/);
});

test("send reads data from a file and from standard input, and counts", async () => {
  const server = await serve(["dev", "--no-discovery", "--in-memory"]);
  writeFileSync(join(folder, "data.json"), '{"from":"file"}');
  const to = ["--url", server.url];
  assert.equal((await pawl(["send", "a", "--data", "data.json", ...to])).code, 0);
  assert.equal(
    (await pawl(["send", "a", "--data", "-", ...to], { input: '{"from":"stdin"}' })).code,
    0,
  );
  const many = await pawl(["send", "b", "--count", "3", "--id", "x", "--json", ...to]);
  assert.equal(lookArray(JSON.parse(many.out), "ids").length, 3);
  const text = await (await fetch(`${server.url}/v1/events`)).text();
  for (const part of ['{"from":"file"}', '{"from":"stdin"}', '"id":"x-1"', '"id":"x-3"'])
    assert.ok(text.includes(part), part);
  server.child.kill("SIGTERM");
  await server.exit;
});

const refusals: readonly (readonly [readonly string[], number, RegExp])[] = [
  [["dve"], 2, /Did you mean "pawl dev"\?/],
  [["dev", "--prot", "1"], 2, /no flag --prot\. Did you mean --port\?/],
  [["dev", "--signing-key", "00"], 2, /"pawl dev" has no flag --signing-key/],
  [["dev", "--port"], 2, /--port needs a value/],
  [["dev", "--port", "x"], 1, /--port must be a whole number/],
  [["dev", "extra"], 2, /"extra" is one argument too many/],
  [["dev", "--config", "nowhere.yaml"], 1, /nowhere\.yaml cannot be read/],
  [["start", "--in-memory"], 1, /needs a signing key.*PAWL_SIGNING_KEY/],
  [["start", "--signing-key", "xyz"], 1, /--signing-key must be an even number of hex digits/],
  [["start", "--signing-key", "00", "--api-keys", "[1]"], 1, /--api-keys must be .*key 1 an obj/],
  [["dev", "--cors-origins", "https://a/b"], 1, /--cors-origins must be an origin such as/],
  [["keys"], 2, /pawl keys create --name/],
  [["keys", "create", "--scopes", "admin"], 2, /--name/],
  [["keys", "create", "--name", "x"], 2, /--scopes: apps:read/],
  [["keys", "create", "--name", "x", "--scopes", "run:read"], 2, /Did you mean "runs:read"\?/],
  [["keys", "create", "--name", "x", "--scopes", "admin", "--expires", "1999"], 2, /--expires/],
  [["send"], 2, /Name the event/],
  [["schedules"], 2, /list\|create/],
  [["schedules", "pause"], 2, /Name the schedule/],
  [["schedules", "create", "a", "--data", "{"], 1, /no valid JSON/],
  [["send", "a", "[1]"], 1, /must be a JSON object/],
  [["send", "a", "{"], 1, /no valid JSON/],
  [["send", "a", "--data", "nowhere.json"], 1, /cannot be read/],
  [["send", "a", "--count", "0"], 2, /--count must be/],
  [["send", "a", "--url", "ftp://x"], 2, /no address of a server/],
];

for (const [args, code, message] of refusals) {
  test(`"pawl ${args.join(" ")}" says what is wrong`, async () => {
    const outcome = await pawl(args);
    assert.equal(outcome.code, code, outcome.err);
    assert.match(outcome.err, message);
    assert.doesNotMatch(outcome.err, /\n\s+at /);
  });
}

test("help and version go to standard output", async () => {
  assert.match((await pawl(["--version"])).out, /^\d+\.\d+\.\d+\n$/);
  assert.match((await pawl([])).out, /pawl doctor/);
  assert.match((await pawl(["help", "dev"])).out, /--poll-interval SECONDS .*PAWL_POLL_INTERVAL/);
  assert.match((await pawl(["start", "--help"])).out, /--signing-key KEY/);
});
