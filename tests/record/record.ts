// Records what the published SDKs send and answer, as JSON files in tests/fixtures. Needs the
// SDKs of the other languages to be installed (README.md); names of apps may be given as arguments.
// It acts as the server only as far as needed to make an app speak.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { signingKey, startApp, type Mode, type RunningApp } from "./apps.ts";
import { send, signatureOf, startRecorder, type Exchange, type Recorder } from "./exchange.ts";
import { appOrigin, normaliseHeaders, normaliseText, sortFunctions } from "./normalise.ts";
import { calls, hashStepId, streamedCalls, type AppName, type CallPlan } from "./plan.ts";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));
const runId = "01KAGW0RN0000000000000RVN1";
const functionUuid = "0d2c4f8a-5b1e-5c3d-8e9f-1a2b3c4d5e6f";
const servePath = "/api/inngest";
const json = { "content-type": "application/json" };

interface Session {
  readonly app: AppName;
  readonly mode: Mode;
  readonly running: RunningApp;
  readonly recorder: Recorder;
}

function save(session: Session, name: string, exchange: Exchange): void {
  const origins = { server: session.recorder.origin, app: session.running.origin };
  // A signature covers the exact text, so the texts of a signed exchange stay untouched.
  const fix = (value: string): string =>
    session.mode === "signed" ? value : normaliseText(value, origins);
  const { request, response } = exchange;
  const registers = session.app === "go" && request.path.startsWith("/fn/register");
  const fixture = {
    request: {
      method: request.method,
      path: normaliseText(request.path, origins),
      headers: normaliseHeaders(request.headers, origins),
      body: registers ? sortFunctions(fix(request.body)) : fix(request.body),
    },
    response: {
      status: response.status,
      headers: normaliseHeaders(response.headers, origins),
      body: fix(response.body),
    },
  };
  writeFileSync(`${fixtures}${session.app}/${name}.json`, `${JSON.stringify(fixture, null, 2)}\n`);
}

function kindOf(path: string): string {
  if (path.startsWith("/fn/register")) return "register";
  if (path.startsWith("/e/")) return "events";
  return path.startsWith("/v1/checkpoint/") ? "checkpoint" : "other";
}

/** Saves what the app sent while it handled the exchange of that name. */
function saveOutgoing(session: Session, name: string): void {
  const seen = new Map<string, number>();
  for (const exchange of session.recorder.take()) {
    const kind = kindOf(exchange.request.path);
    const nth = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, nth);
    save(session, `${name}.${kind}-${nth}`, exchange);
  }
}

async function exchange(
  session: Session,
  name: string,
  request: { method: string; path: string; headers?: Record<string, string>; body?: string },
): Promise<void> {
  const { method, path, headers = {}, body = "" } = request;
  save(session, name, await send(session.running.origin, method, path, headers, body));
  saveOutgoing(session, name);
}

/** Makes the app send its events; the request that asks for it is no part of the protocol. */
async function sendEvents(session: Session, name: string): Promise<void> {
  await send(session.running.origin, "GET", "/send", {}, "");
  saveOutgoing(session, name);
}

function slugOf(plan: CallPlan): string {
  return `shop-${plan.functionId}`;
}

/** The body of a call (protocol.md 2.1), as far as these SDKs read it. */
function callBody(plan: CallPlan, app: AppName): string {
  const event = {
    id: "01KAGW0000000000000000EVT1",
    name: "shop/recorded",
    data: plan.data ?? { id: 1 },
    user: {},
    ts: 1_700_000_000_000,
  };
  const memo = Object.entries(plan.memo ?? {}).map(
    ([id, value]) => [hashStepId(id), value] as const,
  );
  const stepId = plan.target === undefined ? "step" : hashStepId(plan.target);
  // The newest JavaScript SDK checkpoints whenever it is told the function's id.
  const namesFunction = app !== "js4" || plan.checkpoint === true;
  return JSON.stringify({
    version: -1,
    event,
    events: [event],
    steps: Object.fromEntries(memo),
    ctx: {
      run_id: runId,
      ...(namesFunction ? { fn_id: functionUuid } : {}),
      env: "dev",
      step_id: stepId,
      attempt: plan.attempt ?? 0,
      max_attempts: 4,
      stack: { stack: memo.map(([id]) => id), current: memo.length },
      qi_id: "queue-item-1",
      disable_immediate_execution: plan.planOnly ?? false,
      use_api: false,
    },
    use_api: false,
  });
}

async function call(session: Session, plan: CallPlan, name = plan.name): Promise<void> {
  const stepId = plan.target === undefined ? "step" : hashStepId(plan.target);
  const body = plan.body ?? callBody(plan, session.app);
  const signed = session.mode === "signed" || session.mode === "cloud";
  session.recorder.checkpointStatus = plan.checkpointStatus ?? 200;
  await exchange(session, name, {
    method: "POST",
    path: `${servePath}?fnId=${slugOf(plan)}&stepId=${stepId}`,
    headers: {
      "content-type": "application/json",
      "x-inngest-server-kind": signed ? "cloud" : "dev",
      "x-request-id": "01KAGW0RN000000000000D1SP1",
      "x-inngest-job-id": "job-1",
      "x-inngest-generation-id": "3",
      ...(signed ? { "x-inngest-signature": signatureOf(body, signingKey) } : {}),
    },
    body,
  });
}

async function recordDev(session: Session): Promise<void> {
  const dev = { "x-inngest-server-kind": "dev" };
  await exchange(session, "introspection", { method: "GET", path: servePath, headers: dev });
  await exchange(session, "sync", { method: "PUT", path: servePath, headers: dev });
  await exchange(session, "sync-with-deploy-id", {
    method: "PUT",
    path: `${servePath}?deployId=deploy-1`,
    headers: dev,
  });
  await exchange(session, "probe", {
    method: "POST",
    path: `${servePath}?probe=trust`,
    headers: { ...dev, ...json },
    body: "{}",
  });
  await sendEvents(session, "send");
  for (const plan of calls) {
    if (plan.only?.includes(session.app) ?? true) await call(session, plan);
  }
}

async function recordStreaming(session: Session): Promise<void> {
  for (const plan of streamedCalls) await call(session, plan);
}

/** With keys, and with the recorder as the server: the authorised registration and events. */
async function recordCloud(session: Session): Promise<void> {
  const headers = { "x-inngest-server-kind": "cloud", "x-inngest-sync-kind": "out_of_band" };
  // The Go SDK takes every signed PUT for an in-band one.
  const signature =
    session.app === "go" ? {} : { "x-inngest-signature": signatureOf("", signingKey) };
  await exchange(session, "cloud-sync", {
    method: "PUT",
    path: servePath,
    headers: { ...headers, ...signature },
  });
  await sendEvents(session, "cloud-send");
  if (session.app !== "python") {
    await call(
      session,
      { name: "", functionId: "checkpointed", data: { sleep: true }, checkpoint: true },
      "cloud-checkpoint-sleep",
    );
  }
}

async function recordSigned(session: Session): Promise<void> {
  const cloud = { "x-inngest-server-kind": "cloud" };
  const signed = (body: string): Record<string, string> => ({
    ...cloud,
    "x-inngest-signature": signatureOf(body, signingKey),
  });
  const inBandBody = JSON.stringify({ url: `${appOrigin}${servePath}` });
  await exchange(session, "signed-introspection", {
    method: "GET",
    path: servePath,
    headers: signed(""),
  });
  await exchange(session, "unsigned-introspection", {
    method: "GET",
    path: servePath,
    headers: cloud,
  });
  await exchange(session, "signed-sync-in-band", {
    method: "PUT",
    path: servePath,
    headers: { ...signed(inBandBody), ...json, "x-inngest-sync-kind": "in_band" },
    body: inBandBody,
  });
  await exchange(session, "unsigned-sync-in-band", {
    method: "PUT",
    path: servePath,
    headers: { ...cloud, ...json, "x-inngest-sync-kind": "in_band" },
    body: inBandBody,
  });
  await exchange(session, "signed-probe", {
    method: "POST",
    path: `${servePath}?probe=trust`,
    headers: { ...signed("{}"), ...json },
    body: "{}",
  });
  const result = { name: "signed-result", functionId: "result" };
  await call(session, result);
  await call(session, { name: "signed-steps-1-run", functionId: "steps" });
  await exchange(session, "unsigned-result", {
    method: "POST",
    path: `${servePath}?fnId=${slugOf(result)}&stepId=step`,
    headers: { ...cloud, ...json },
    body: callBody(result, session.app),
  });
}

const recordings: Record<Mode, (session: Session) => Promise<void>> = {
  dev: recordDev,
  streaming: recordStreaming,
  cloud: recordCloud,
  signed: recordSigned,
};

async function recordApp(app: AppName): Promise<void> {
  rmSync(`${fixtures}${app}`, { recursive: true, force: true });
  mkdirSync(`${fixtures}${app}`, { recursive: true });
  for (const mode of ["dev", "streaming", "cloud", "signed"] as const) {
    const recorder = await startRecorder();
    const running = await startApp(app, mode, recorder.origin);
    try {
      await recordings[mode]({ app, mode, running, recorder });
    } finally {
      await running.stop();
      recorder.close();
    }
  }
}

const known: readonly AppName[] = ["python", "go", "js3", "js4"];
const wanted = process.argv.slice(2);
for (const app of known) {
  if (wanted.length > 0 && !wanted.includes(app)) continue;
  await recordApp(app);
  console.log(`recorded ${app}`);
}
