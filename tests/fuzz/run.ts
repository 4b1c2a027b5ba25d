// One fuzz run: a real server that listens, an app, so many requests, and the questions at the end:
// is it healthy, does a function still run, did memory stay where it was?
import { setFlagsFromString } from "node:v8";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { setTimeout as pause } from "node:timers/promises";
import { apiKeyFrom, hashApiKey } from "@pawl/server/auth/api-key";
import { look, lookArray, until } from "@pawl/server/http/test-client";
import { silentLog } from "@pawl/server/loop/log";
import { retentionPolicies } from "@pawl/server/loop/retention-policies";
import { startServer, type PawlServer } from "@pawl/server/server";
import { register, startAppStub, type AppStub } from "@pawl/server/sync/app-stub";
import { createMemoryStore } from "@pawl/store/memory-store";
import { createSqliteStore } from "@pawl/store-sqlite/sqlite-store";
import { makeTempDir } from "../support/temp-dir.ts";
import { caseOf, type Case, type Target } from "./cases.ts";
import { faultOf } from "./judge.ts";
import { Wire } from "./wire.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  readonly kind: "dev" | "cloud";
  readonly store: "memory" | "sqlite";
  /** Only this request, after the same start. */
  readonly only: number | null;
  /** Requests at the same time. */
  readonly parallel: number;
  readonly tell: (line: string) => void;
}

export interface FuzzOutcome {
  /** What went wrong, with the request that brought it. */
  readonly faults: readonly string[];
  readonly answers: ReadonlyMap<number, number>;
  readonly routes: number;
  readonly heapBytesBefore: number;
  readonly heapBytesAfter: number;
}

const signingKey = "signkey-prod-0badc0de";
const apiKey = apiKeyFrom(Buffer.alloc(32, 1));
const faultsMax = 20;
const mebibyte = 1024 * 1024;
/** What may be there at the end beyond the start: caches, and the rows that retention leaves. */
export const heapGrowthBytesMax = 32 * mebibyte;

interface World {
  readonly server: PawlServer;
  readonly app: AppStub;
  readonly faults: string[];
}

/** Runs; rejects only when it cannot even start. */
export async function fuzz(options: FuzzOptions): Promise<FuzzOutcome> {
  const world = await start(options);
  const onRejection = (reason: unknown): void =>
    void world.faults.push(`unhandled: ${String(reason)}`);
  process.on("unhandledRejection", onRejection);
  try {
    return await attack(world, options);
  } finally {
    process.off("unhandledRejection", onRejection);
    await world.server.close();
    await world.app.close();
  }
}

async function start({ kind, store }: FuzzOptions): Promise<World> {
  const faults: string[] = [];
  const app = await startAppStub("shop");
  app.signingKey = kind === "cloud" ? signingKey : null;
  const server = await startServer({
    store:
      store === "memory"
        ? createMemoryStore()
        : createSqliteStore({ path: `${makeTempDir("fuzz")}/pawl.db` }),
    kind,
    signingKeys: kind === "cloud" ? [signingKey] : [],
    eventKeys: kind === "cloud" ? ["fuzz-key"] : [],
    apiKeys: [{ name: "fuzz", hash: hashApiKey(apiKey), scopes: ["admin"], expiresAt: null }],
    limits: {
      eventBytesMax: 64 * 1024,
      eventsPerRequestMax: 100,
      bodyBytesMax: mebibyte,
      previewRunsMax: 100,
      traceBytesMax: mebibyte,
      spansPerRequestMax: 100,
    },
    retention: {
      policies: retentionPolicies(5_000),
      intervalMs: 1_000,
      pauseMs: 1,
      pauseRatio: 0,
      stepSize: 1_000,
    },
    drainMs: 1_000,
    log: {
      ...silentLog,
      error: (fields, message) => void faults.push(`logged: ${message} ${inspect(fields)}`),
    },
    onFatal: (error) => void faults.push(`fatal: ${error.message}`),
  });
  return { server, app, faults };
}

/** As an app of production does it, also to a development server. */
async function registerApp({ server, app }: World): Promise<void> {
  app.serverUrl = server.url;
  app.registerHeaders = { authorization: `Bearer ${signingKey}` };
  const { status } = await register(app, "shop");
  if (status !== 200) throw new Error(`the app cannot register: ${String(status)}`);
}

async function attack(world: World, options: FuzzOptions): Promise<FuzzOutcome> {
  const { server, app, faults } = world;
  await registerApp(world);
  const targets = await targetsOf(server);
  const ids = [...(await runOnce(world)), ...(await runOnce(world)), "shop-greet"];
  const places = { appUrl: app.url, ids };
  const tokens =
    options.kind === "cloud" ? [signingKey, signingKey, apiKey] : ["undefined", apiKey];
  const answers = new Map<number, number>();
  const heapBytesBefore = await heapBytes();
  let next = options.only ?? 0;
  const end = options.only === null ? options.requests : next + 1;
  const work = async (): Promise<void> => {
    const wire = new Wire(server.port);
    while (next < end && faults.length < faultsMax) {
      const one = caseOf(options.seed, next++, targets, places, tokens);
      if (one.index > 0 && one.index % 10_000 === 0) options.tell(`${String(one.index)} requests`);
      const exchange = await wire.send(one);
      for (const { status } of exchange.answers)
        answers.set(status, (answers.get(status) ?? 0) + 1);
      const fault = faultOf(one, exchange);
      if (fault !== null) {
        const after = exchange.before === null ? "" : ` after #${String(exchange.before)}`;
        faults.push(`${fault}\n  ${shown(one)}${after}`);
      }
    }
    wire.close();
  };
  await Promise.all(Array.from({ length: options.parallel }, work));
  await afterwards(world);
  const heapBytesAfter = await heapBytes();
  return { faults, answers, routes: new Set(targets).size, heapBytesBefore, heapBytesAfter };
}

/** The server is well, and a function that is registered anew runs to its end. */
async function afterwards(world: World): Promise<void> {
  try {
    const health = await fetch(`${world.server.url}/health`);
    if (health.status !== 200) world.faults.push(`/health answers ${String(health.status)}`);
    await registerApp(world);
    await runOnce(world);
  } catch (error) {
    world.faults.push(`afterwards: ${String(error)}`);
  }
}

/** Event and run of one start of the app's function, once it has completed. */
async function runOnce({ server }: World): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${signingKey}` };
  // A request may have paused the function: it stays so over a sync.
  await fetch(`${server.url}/v1/functions/shop-greet/resume`, { method: "POST", headers });
  const sent = await fetch(`${server.url}/e/fuzz-key`, {
    method: "POST",
    body: '{"name":"greet"}',
  });
  const eventId = String(look(await sent.json(), "ids.0"));
  const stop = Date.now() + 30_000;
  const runs = await until(
    async () => {
      const shown = await fetch(`${server.url}/v1/events/${eventId}/runs`, { headers });
      return lookArray(await shown.json(), "data");
    },
    (found) =>
      Date.now() > stop ||
      found.some((run) => look(run, "status") === "Completed" && look(run, "output") === "hello"),
  );
  if (runs.length === 0 || Date.now() > stop) throw new Error("no function runs any more");
  return [eventId, ...runs.map((run) => String(look(run, "run_id")))];
}

/** Every route of the server, with what OpenAPI says of it. */
async function targetsOf(server: PawlServer): Promise<readonly Target[]> {
  const response = await fetch(`${server.url}/openapi.json`, {
    headers: { authorization: `Bearer ${signingKey}` },
  });
  const paths = look(await response.json(), "paths");
  const operations = new Map(
    Object.entries(typeof paths === "object" && paths !== null ? paths : {}),
  );
  const routes = await server.routes();
  const targets = routes.map(({ method, pattern, bodyBytesMax }): Target => {
    const path = pattern.replace(/^\/api\/v2\//, "/v2/").replace(/:(\w+)/g, "{$1}");
    const operation = look(operations.get(path), method.toLowerCase());
    const parameters = look(operation, "parameters");
    const query = (Array.isArray(parameters) ? parameters : [])
      .filter((parameter) => look(parameter, "in") === "query")
      .map((parameter) => [String(look(parameter, "name")), look(parameter, "schema")] as const);
    const content = look(operation, "requestBody.content");
    const body = look(new Map(Object.entries(content ?? {})).get("application/json"), "schema");
    return { method, pattern, bodyBytesMax, query: new Map(query), body };
  });
  return weighed(server, targets);
}

/** What the server only says that it does not do is asked for less often. */
async function weighed(server: PawlServer, targets: readonly Target[]): Promise<readonly Target[]> {
  const there: Target[] = [];
  for (const target of targets) {
    if (target.pattern.startsWith("/dev")) continue;
    const response = await fetch(server.url + target.pattern.replaceAll(":", ""), {
      method: target.method,
      headers: { authorization: `Bearer ${signingKey}` },
    });
    await response.text();
    if (response.status !== 501) there.push(target);
  }
  return [...targets, ...Array.from({ length: 8 }, () => there).flat()];
}

function shown({ index, framing, method, target, headers, body }: Case): string {
  const lines = headers.map(([name, value]) => `${name}: ${value.slice(0, 80)}`).slice(0, 12);
  const text = body.subarray(0, 300).toString("utf8");
  return `#${String(index)} ${framing} ${method} ${target.slice(0, 300)} [${lines.join("; ")}] ${String(body.length)} bytes: ${text}`;
}

/** After garbage was collected, twice: finalizers free more. */
async function heapBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void; // proof: what the flag defines
  for (let count = 0; count < 2; count += 1) {
    await pause(200);
    collect();
  }
  return process.memoryUsage().heapUsed;
}
