// Metadata and scores over real sockets: written by requests and by steps, shown by every API.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { hashStepId } from "@pawl/protocol/step-id";
import { ask, look, lookArray, until, type Answer } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

const charge = hashStepId("charge", 0);
const usage = {
  operation_name: "chat",
  request_model: "gpt-5.4-nano",
  response_model: "gpt-5.4-nano-2026-03-17",
  provider: "openai",
  input_tokens: 1_000,
  output_tokens: 100,
  latency_ms: 12.5,
};

let server: PawlServer;
let app: AppStub;

/** What the step brings with its result. */
const brought = [
  { kind: "inngest.ai", scope: "step", op: "set", values: usage },
  { kind: "userland.try", scope: "step_attempt", op: "set", values: { n: 1 } },
  { kind: "userland.all", scope: "run", op: "merge", values: { from: "step" } },
];

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({
    store: createMemoryStore(),
    settings: { runMetadataCharsMax: 2_000, runMetadataMax: 20 },
  });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) => {
    if (look(call, `steps.${charge}`) !== undefined) return { status: 200, body: '"done"' };
    const isMuch = look(call, "event.data.much") === true;
    const much = [{ ...brought[1], values: { text: "x".repeat(3_000) } }];
    const metadata = isMuch ? much : brought;
    const step = { op: "StepRun", id: charge, displayName: "charge", data: 1, metadata };
    return { status: 206, body: JSON.stringify([step]) };
  };
});

after(async () => {
  await server.close();
  await app.close();
});

async function asked(method: string, path: string, body?: unknown): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask(server.url, method, path, body === undefined ? {} : { body: text });
}

/** A run that has ended. */
async function endedRun(data: object = {}): Promise<string> {
  const { json } = await asked("POST", "/v2/apps/shop/functions/greet/invoke", { data });
  const runId = String(look(json, "data.runId"));
  await until(
    () => asked("GET", `/v2/runs/${runId}`),
    (run) => look(run.json, "data.status") === "COMPLETED",
  );
  return runId;
}

function note(runId: string, target: object, values: object, more: object = {}): Promise<Answer> {
  return asked("POST", `/v1/runs/${runId}/metadata`, {
    target: { run_id: runId, ...target },
    metadata: [{ kind: "userland.k", op: "merge", values, ...more }],
  });
}

/** `scope/kind` and values of the run's span, then those of its step's. */
async function shown(runId: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const fragment =
    "fragment F on RunTraceSpan{name stepID spanID metadata{scope kind values updatedAt}}";
  const query = `${fragment} query($runId:String!){run(runID:$runId){trace(preview:true){...F childrenSpans{...F childrenSpans{...F}}}}}`;
  const { json } = await asked("POST", "/v0/gql", { query, variables: { runId } });
  assert.equal(look(json, "errors"), undefined, JSON.stringify(json));
  const entries = (path: string) =>
    Object.fromEntries(
      lookArray(json, `${path}.metadata`).map((entry) => {
        assert.ok(!Number.isNaN(Date.parse(String(look(entry, "updatedAt")))));
        return [
          `${String(look(entry, "scope"))}/${String(look(entry, "kind"))}`,
          look(entry, "values"),
        ];
      }),
    );
  const root = "data.run.trace";
  return [entries(root), entries(`${root}.childrenSpans.0`)];
}

test("what a step brings is on its span, with real numbers and the cost of the model", async () => {
  const [run, step] = await shown(await endedRun());
  assert.deepEqual(run, { "run/userland.all": { from: "step" } });
  assert.deepEqual(step, {
    "step/inngest.ai": { ...usage, estimated_cost: 0.000325 },
    "step_attempt/userland.try": { n: 1 },
  });
});

test("a run that has ended takes metadata for itself, its steps, attempts and spans", async () => {
  const runId = await endedRun();
  const answer = await note(runId, {}, { a: 1 });
  assert.deepEqual([answer.status, look(answer.json, "data.run_id")], [200, runId]);
  assert.equal((await note(runId, {}, { b: [true, null] })).status, 200);
  assert.equal((await note(runId, { step_id: "charge" }, { s: 1 })).status, 200);
  assert.equal((await note(runId, { step_id: charge, step_attempt: -1 }, { t: 1 })).status, 200);
  const spans = { step_attempt: 0, span_id: "00f067aa0ba902b7" };
  assert.equal((await note(runId, spans, { u: 1 })).status, 200);
  const [run, step] = await shown(runId);
  assert.deepEqual(run, {
    "extended_trace/userland.k": { u: 1 },
    "run/userland.all": { from: "step" },
    "run/userland.k": { a: 1, b: [true, null] },
  });
  assert.deepEqual(step?.["step/userland.k"], { s: 1 });
  assert.deepEqual(step?.["step_attempt/userland.k"], { t: 1 });
  const v1 = await asked("GET", `/v1/runs/${runId}/trace`);
  const entry = lookArray(v1.json, "data.metadata").find(
    (one) => look(one, "kind") === "userland.k",
  );
  assert.deepEqual(look(entry, "values"), { u: 1 });
});

test("v2: scores are echoed and shown as JSON inside strings", async () => {
  const runId = await endedRun();
  const scores = [
    { name: "helpful", value: 0.75, experiment: { experimentName: "prompt", variant: "b" } },
    { name: "safe", value: true, stepId: "charge" },
  ];
  const answer = await asked("POST", `/v2/runs/${runId}/scores`, { scores });
  assert.deepEqual([answer.status, look(answer.json, "data")], [200, scores]);
  const more = { scores: [{ name: "short", value: 1 }] };
  assert.equal((await asked("POST", `/api/v2/runs/${runId}/scores`, more)).status, 200);
  const { json } = await asked("GET", `/v2/runs/${runId}/trace`);
  const of = (path: string, kind: string) =>
    look(
      lookArray(json, `${path}.metadata`).find((entry) => look(entry, "kind") === kind),
      "values",
    );
  assert.deepEqual(of("data.rootSpan", "inngest.score"), {
    helpful: '{"value":0.75}',
    short: '{"value":1}',
  });
  assert.deepEqual(of("data.rootSpan", "inngest.experiment"), { name: '"prompt"', variant: '"b"' });
  assert.deepEqual(of("data.rootSpan.children.0", "inngest.score"), { safe: '{"value":true}' });
});

test("refusals: unknown runs, steps and attempts; too much; what does not fit", async () => {
  const runId = await endedRun();
  const of = async (answer: Promise<Answer>) => {
    const { status, json } = await answer;
    return [status, look(json, "code") ?? look(json, "errors.0.code")];
  };
  assert.deepEqual(await of(note("none", {}, {})), [404, "run_not_found"]);
  const unknown = [404, "metadata_target_not_found"];
  assert.deepEqual(await of(note(runId, { step_id: "other" }, {})), unknown);
  assert.deepEqual(await of(note(runId, { step_id: "charge", step_index: 1 }, {})), unknown);
  assert.deepEqual(await of(note(runId, { step_id: "charge", step_attempt: 1 }, {})), unknown);
  const invalid = [400, "body_invalid"];
  assert.deepEqual(await of(note(runId, { run_id: "another" }, {})), invalid);
  assert.deepEqual(await of(note(runId, { step_attempt: 0 }, {})), invalid);
  assert.deepEqual(await of(note(runId, {}, {}, { op: "multiply" })), invalid);
  assert.deepEqual(await of(note(runId, {}, [])), invalid);
  const text = { from: "text" };
  const add = { kind: "userland.all", op: "add" };
  assert.deepEqual(await of(note(runId, {}, text, add)), [400, "metadata_invalid"]);
  const large = await note(runId, {}, { text: "x".repeat(2_000) });
  assert.deepEqual([large.status, look(large.json, "code")], [413, "metadata_too_large"]);
  assert.match(String(look(large.json, "error")), /limit is 2000 \(setting runMetadataCharsMax\)/);

  const score = (more: object) => {
    const scores = [{ name: "n", value: 1, ...more }];
    return of(asked("POST", `/v2/runs/${runId}/scores`, { scores }));
  };
  assert.deepEqual(await score({ stepId: "other" }), [404, "not_found"]);
  for (const more of [{ name: "" }, { name: "it's" }, { name: "ü".repeat(65) }, { value: "1" }])
    assert.deepEqual(await score(more), [400, "invalid_field_format"]);
  const many = Array.from({ length: 101 }, (_, n) => ({ name: `n${String(n)}`, value: n }));
  const tooMany = asked("POST", `/v2/runs/${runId}/scores`, { scores: many });
  assert.deepEqual(await of(tooMany), [400, "invalid_field_format"]);
  const long = Array.from({ length: 60 }, (_, n) => ({
    name: `${"n".repeat(40)}${String(n)}`,
    value: n,
  }));
  const tooLarge = asked("POST", `/v2/runs/${runId}/scores`, { scores: long });
  assert.deepEqual(await of(tooLarge), [413, "invalid_request"]);
});

test("a step whose metadata is too much succeeds, and a warning says so", async () => {
  const [run, step] = await shown(await endedRun({ much: true }));
  assert.deepEqual(step, {});
  assert.match(
    JSON.stringify(run?.["run/inngest.warnings"]),
    /"charge\\" was dropped.*limit is 2000/,
  );
});
