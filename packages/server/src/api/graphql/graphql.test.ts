// GraphQL over real sockets, with the queries of the SDK suites as they send them (protocol.md 8.4).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until, type Answer } from "../../http/test-client.ts";
import { startServer, type PawlServer } from "../../server.ts";
import { register, startAppStub, type AppStub } from "../../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

const step =
  '[{"op":"StepRun","id":"abc","displayName":"charge","data":{"big":12345678901234567890}}]';

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) => {
    const kind = look(call, "event.data.kind");
    if (kind === "fail")
      return { status: 500, body: '{"name":"Boom","message":"no","stack":"at x"}' };
    if (kind === "wait")
      return {
        status: 206,
        body: '[{"op":"WaitForEvent","id":"def","displayName":"paid","name":"order/paid","opts":{"event":"order/paid","timeout":"1h"}}]',
      };
    return look(call, "steps.abc") === undefined
      ? { status: 206, body: step }
      : { status: 200, body: '{"ok":true}' };
  };
});

after(async () => {
  await server.close();
  await app.close();
});

async function gql(query: string, variables: object = {}, operationName?: string): Promise<Answer> {
  const body = JSON.stringify({ query, variables, operationName });
  const answer = await ask(server.url, "POST", "/v0/gql", { body });
  assert.equal(answer.status, 200);
  return answer;
}

/** The data of a query that must not fail. */
async function data(query: string, variables: object = {}): Promise<unknown> {
  const { json } = await gql(query, variables);
  assert.equal(look(json, "errors"), undefined, JSON.stringify(json));
  return look(json, "data");
}

async function send(kind: string, more: object = {}): Promise<string> {
  const body = JSON.stringify({ name: "greet", data: { kind }, ...more });
  return String(look((await ask(server.url, "POST", "/e/key", { body })).json, "ids.0"));
}

const pyRunOfEvent =
  "query GetRunFromEventID($event_id: ID!) { event(query: {eventId: $event_id}) { functionRuns { id } } }";

async function runOf(eventId: string): Promise<string> {
  const found = await until(
    () => data(pyRunOfEvent, { event_id: eventId }),
    (value) => lookArray(value, "event.functionRuns").length === 1,
  );
  return String(look(found, "event.functionRuns.0.id"));
}

const jsHarness =
  "query($runId:String!){run(runID:$runId){status trace(preview:true){status outputID}}}";

async function traced(runId: string, status: string): Promise<string> {
  const found = await until(
    () => data(jsHarness, { runId }),
    (value) => look(value, "run.trace.status") === status,
  );
  return String(look(found, "run.trace.outputID"));
}

test("js harness: a run is awaited, and its output read by the id of its trace", async () => {
  const runId = await runOf(await send("steps"));
  const traceID = await traced(runId, "COMPLETED");
  const query =
    "query($traceID:String!){runTraceSpanOutputByID(outputID:$traceID){data error{message name}}}";
  const output = await data(query, { traceID });
  assert.equal(look(output, "runTraceSpanOutputByID.data"), '{"ok":true}');
  assert.equal(look(output, "runTraceSpanOutputByID.error"), null);
});

test("js harness: a failed run has an error", async () => {
  const runId = await runOf(await send("fail"));
  const outputId = await traced(runId, "FAILED");
  const query =
    "query GetRunTimelineOutput($outputId:String!){runTraceSpanOutputByID(outputID:$outputId){data error{name message stack cause}}}";
  const output = await data(query, { outputId });
  assert.equal(look(output, "runTraceSpanOutputByID.data"), null);
  assert.equal(look(output, "runTraceSpanOutputByID.error.message"), "no");
  assert.equal(look(output, "runTraceSpanOutputByID.error.name"), "Boom");
});

test("js suites: metadata of a trace, an event as JSON, the stream, events, the timeline", async () => {
  const eventId = await send("steps", { id: "once" });
  const runId = await runOf(eventId);
  await traced(runId, "COMPLETED");
  const fragment =
    "fragment TraceMetadataFields on RunTraceSpan{name stepID spanID metadata{scope kind values updatedAt}}";
  const metadata = await data(
    `${fragment} query($runId:String!){run(runID:$runId){trace(preview:true){...TraceMetadataFields childrenSpans{...TraceMetadataFields childrenSpans{...TraceMetadataFields}}}}}`,
    { runId },
  );
  assert.equal(look(metadata, "run.trace.childrenSpans.0.name"), "charge");
  assert.deepEqual(look(metadata, "run.trace.childrenSpans.0.metadata"), []);
  await data(
    "query Query($runID:String!,$preview:Boolean){run(runID:$runID){trace(preview:$preview){childrenSpans{metadata{scope kind values} name}}}}",
    { runID: runId, preview: true },
  );
  const event = await data("query Event($id:ULID!){eventV2(id:$id){idempotencyKey name raw}}", {
    id: eventId,
  });
  assert.equal(look(event, "eventV2.idempotencyKey"), "once");
  const raw: unknown = JSON.parse(String(look(event, "eventV2.raw")));
  assert.equal(look(raw, "data.kind"), "steps");
  const stream = await data(
    "query GetEventStream{stream(query:{limit:999,includeInternalEvents:false}){id trigger runs{id function{name}}}}",
  );
  const streamed = lookArray(stream, "stream").find((item) => look(item, "id") === eventId);
  assert.deepEqual(look(streamed, "runs"), [{ id: runId, function: { name: "Greet" } }]);
  const events = await data(
    "query Events($query:EventsQuery!){events(query:$query){id name payload}}",
    { query: {} },
  );
  const listed = lookArray(events, "events").find((item) => look(item, "id") === eventId);
  assert.equal(look(listed, "payload"), '{"kind":"steps"}');
  const fields = "name stepType attempts outputID status";
  const timeline = await data(
    `query GetRunTimeline($runId:String!){run(runID:$runId){trace(preview:true){${fields} childrenSpans{${fields} childrenSpans{${fields}}}}}}`,
    { runId },
  );
  assert.equal(look(timeline, "run.trace.childrenSpans.0.attempts"), 1);
});

test("py suite: run, payloads, steps by name and their outputs", async () => {
  const runId = await runOf(await send("steps"));
  await traced(runId, "COMPLETED");
  const run = await data(
    "query GetRun($run_id: String!) { run(runID: $run_id) { output status } runTrigger(runID: $run_id) { payloads } }",
    { run_id: runId },
  );
  assert.deepEqual(look(run, "run"), { output: '{"ok":true}', status: "COMPLETED" });
  assert.match(String(look(run, "runTrigger.payloads.0")), /"name":"greet"/);
  const history = await data(
    "query GetHistory($run_id: String!) { run(runID: $run_id) { trace { childrenSpans { name outputID } } } }",
    { run_id: runId },
  );
  assert.equal(look(history, "run.trace.childrenSpans.0.name"), "charge");
  const output = await data(
    "query GetHistory($output_id: String!) { runTraceSpanOutputByID(outputID: $output_id) { data error { message name stack } } }",
    { output_id: look(history, "run.trace.childrenSpans.0.outputID") },
  );
  assert.equal(look(output, "runTraceSpanOutputByID.data"), '{"big":12345678901234567890}');
});

test("runs are listed in pages with a total", async () => {
  const query =
    'query($after:String,$status:[FunctionRunStatus!]){runs(first:1,after:$after,orderBy:[{field:QUEUED_AT,direction:DESC}],filter:{from:"2000-01-01T00:00:00Z",status:$status}){totalCount pageInfo{hasNextPage endCursor} edges{cursor node{id status function{slug} app{externalID}}}}}';
  const first = await data(query);
  assert.ok(Number(look(first, "runs.totalCount")) >= 3);
  assert.equal(look(first, "runs.pageInfo.hasNextPage"), true);
  assert.equal(look(first, "runs.edges.0.node.app.externalID"), "shop");
  const second = await data(query, { after: look(first, "runs.pageInfo.endCursor") });
  assert.ok(
    String(look(second, "runs.edges.0.node.id")) < String(look(first, "runs.edges.0.node.id")),
  );
  const failed = await data(query, { status: ["FAILED"] });
  assert.equal(look(failed, "runs.totalCount"), 1);
  assert.equal(look(failed, "runs.edges.0.node.status"), "FAILED");
  const byEnd =
    '{runs(orderBy:[{field:ENDED_AT,direction:ASC}],filter:{from:"2000-01-01T00:00:00Z",timeField:ENDED_AT}){edges{node{endedAt}}}}';
  const ends = lookArray(await data(byEnd), "runs.edges").map((edge) =>
    String(look(edge, "node.endedAt")),
  );
  assert.deepEqual(ends, ends.toSorted());
});

test("apps, functions, workers and older queries are answered", async () => {
  const found = await data(
    `{apps{id externalID sdkLanguage sdkVersion functionCount functions{slug}} functions{slug triggers{type value}}
      functionBySlug(query:{functionSlug:"shop-greet"}){name app{name}} workerConnections(orderBy:[]){totalCount}
      workerConnection(connectionId:"x"){id}}`,
  );
  assert.equal(look(found, "apps.0.sdkLanguage"), "js");
  assert.equal(look(found, "apps.0.sdkVersion"), "4.24.0");
  assert.equal(look(found, "functions.0.triggers.0.value"), "greet");
  assert.equal(look(found, "functionBySlug.app.name"), "shop");
  assert.equal(look(found, "workerConnection"), null);
  const runId = await runOf(await send("steps"));
  const appId = look(found, "apps.0.id");
  const old = await data(
    'query($id:ID!,$app:UUID!,$run:String!){functionRun(query:{functionRunId:$id}){status event{name}} app(id:$app){name} runTrace(runID:$run){isRoot run{id}} eventsV2(first:1,filter:{from:"2000-01-01T00:00:00Z",eventNames:["greet"]}){edges{node{name runs{id}}}}}',
    { id: runId, app: appId, run: runId },
  );
  assert.equal(look(old, "functionRun.event.name"), "greet");
  assert.equal(look(old, "runTrace.run.id"), runId);
  assert.equal(look(old, "eventsV2.edges.0.node.runs.0.id"), runId);
});

test("functions are invoked and runs cancelled; an open wait shows what it waits for", async () => {
  assert.equal(
    look(
      await data('mutation($d:Map){invokeFunction(data:$d,functionSlug:"shop-greet",user:null)}', {
        d: { kind: "steps" },
      }),
      "invokeFunction",
    ),
    true,
  );
  const runId = await runOf(await send("wait"));
  const query =
    "query($id:String!){run(runID:$id){trace{childrenSpans{status stepOp stepInfo{__typename ... on WaitForEventStepInfo{eventName}}}}}}";
  const open = await until(
    () => data(query, { id: runId }),
    (value) => lookArray(value, "run.trace.childrenSpans").length === 1,
  );
  assert.deepEqual(look(open, "run.trace.childrenSpans.0"), {
    status: "WAITING",
    stepOp: "WAIT_FOR_EVENT",
    stepInfo: { __typename: "WaitForEventStepInfo", eventName: "order/paid" },
  });
  const cancel = "mutation($id:ULID!){cancelRun(runID:$id){status}}";
  assert.equal(look(await data(cancel, { id: runId }), "cancelRun.status"), "CANCELLED");
});

test("what cannot be answered is an error with status 200", async () => {
  const messages = async (query: string): Promise<string> =>
    JSON.stringify(look((await gql(query)).json, "errors"));
  assert.match(await messages("{"), /Syntax Error/);
  assert.match(await messages("{nothing}"), /Cannot query field/);
  assert.match(await messages('{eventV2(id:"x"){name}}'), /There is no event x/);
  assert.match(await messages('mutation{rerun(runID:"x")}'), /There is no run x/);
  const deep = `${"runs{event{functionRuns:functionRuns{event{".replace("runs", "functionRuns").repeat(9)}id${"}".repeat(36)}`;
  assert.match(await messages(`{event(query:{eventId:"x"}){${deep}}}`), /too large/);
  const bad = await ask(server.url, "POST", "/v0/gql", { body: "no json" });
  assert.equal(bad.status, 200);
  assert.ok(lookArray(bad.json, "errors").length === 1);
});
