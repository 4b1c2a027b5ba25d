// What a GraphQL request may ask for, and the code that each refusal carries; over real sockets.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { getIntrospectionQuery } from "graphql";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until } from "../../http/test-client.ts";
import { startServer, type PawlServer } from "../../server.ts";
import { register, startAppStub, type AppStub } from "../../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  const graphqlLimits = { depthMax: 20, fieldsMax: 300, aliasesMax: 3, valuesMax: 1_000 };
  server = await startServer({ store: createMemoryStore(), graphqlLimits });
  app.serverUrl = server.url;
  await register(app, "shop");
});

after(async () => {
  await server.close();
  await app.close();
});

async function gql(query: string, variables: object = {}): Promise<unknown> {
  const body = JSON.stringify({ query, variables });
  const { status, json } = await ask(server.url, "POST", "/v0/gql", { body });
  assert.equal(status, 200);
  return json;
}

async function refusal(query: string, variables: object = {}): Promise<[unknown, string]> {
  const json = await gql(query, variables);
  return [look(json, "errors.0.extensions.code"), String(look(json, "errors.0.message"))];
}

test("limits name themselves, their value and their setting", async () => {
  const deep = `{event(query:{eventId:"x"}){${"functionRuns{event{".repeat(10)}id${"}}".repeat(10)}}}`;
  assert.deepEqual(await refusal(deep), [
    "query_too_large",
    "The query is too large: it has more than 20 levels of fields, the limit of --graphql-depth-max. Ask for less at once.",
  ]);
  const wide = await refusal(`{functions{${"name ".repeat(301)}}}`);
  assert.match(wide.join(" "), /^query_too_large .* 300 fields, .*--graphql-fields-max/);
  const aliased = await refusal(
    "{a:functions{id} b:functions{id} c:functions{id} d:functions{id}}",
  );
  assert.match(aliased.join(" "), /^query_too_large .* 3 aliases, .*--graphql-aliases-max/);
  const long = await refusal(`{${"functions{name} ".repeat(1_000)}}`);
  assert.match(long.join(" "), /^query_too_large .*--graphql-fields-max/);
});

test("fragments count once for each use, and cannot multiply without end", async () => {
  const chain = Array.from(
    { length: 12 },
    (_, at) => `fragment F${String(at)} on Function{...F${String(at + 1)} ...F${String(at + 1)}}`,
  );
  const query = `{functions{...F0}} ${chain.join(" ")} fragment F12 on Function{name}`;
  assert.equal((await refusal(query))[0], "query_too_large");
});

test("fragments that lead to each other end, and what is too large is not validated", async () => {
  const circle = "{functions{...A}} fragment A on Function{...B} fragment B on Function{...A}";
  assert.equal((await refusal(circle))[0], "query_too_large");
  assert.equal((await refusal(`{functions{${"nothing ".repeat(301)}}}`))[0], "query_too_large");
});

test("lists within lists stop at the values of the answer", async () => {
  const body = JSON.stringify(Array.from({ length: 30 }, () => ({ name: "greet" })));
  await ask(server.url, "POST", "/e/key", { body });
  const count =
    '{runs(orderBy:[],filter:{from:"2000-01-01T00:00:00Z",status:COMPLETED}){totalCount}}';
  await until(
    () => gql(count),
    (json) => look(json, "data.runs.totalCount") === 30,
  );
  const runs = (fields: string): string =>
    `{runs(orderBy:[],filter:{from:"2000-01-01T00:00:00Z"}){edges{node{id function{app{functions{app{functions{app{functions{${fields}}}}}}}}}}}}`;
  const small = await gql(runs("slug"));
  assert.equal(lookArray(small, "data.runs.edges").length, 30);
  const many =
    "slug name id url config isPaused retries appID concurrency triggers{type value condition}";
  const [code, message] = await refusal(
    runs(`${many} app{id name url sdkVersion functions{${many} app{name functions{${many}}}}}`),
  );
  assert.equal(code, "query_too_large");
  assert.match(message, /more than 1000 values in its answer, the limit of --graphql-values-max/);
  assert.equal(look(await gql("{functions{slug}}"), "data.functions.0.slug"), "shop-greet");
});

test("every error has a code", async () => {
  const ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  for (const [query, code] of [
    ["{", "query_invalid"],
    ["{nothing}", "query_invalid"],
    ["query($id:String!){run(runID:$id){id}}", "query_invalid"],
    ["{runTrace(runID:1){id}}", "query_invalid"],
    [
      '{runs(first:401,orderBy:[],filter:{from:"2000-01-01T00:00:00Z"}){totalCount}}',
      "parameter_invalid",
    ],
    ['{runs(orderBy:[],filter:{from:"today"}){totalCount}}', "parameter_invalid"],
    [`{eventV2(id:"${ulid}"){id}}`, "event_not_found"],
    [`{runTrace(runID:"${ulid}"){name}}`, "run_not_found"],
    [`{runTrigger(runID:"${ulid}"){IDs}}`, "run_not_found"],
    ['{runTraceSpanOutputByID(outputID:"x"){data}}', "output_not_found"],
    [`mutation{cancelRun(runID:"${ulid}"){id}}`, "run_not_found"],
    [`mutation{rerun(runID:"${ulid}")}`, "run_not_found"],
    ['mutation{invokeFunction(functionSlug:"none")}', "function_not_found"],
    ['mutation{deleteApp(id:"none")}', "app_not_found"],
    ['mutation{deleteAppByName(name:"none")}', "app_not_found"],
    [
      'mutation{createDebugSession(input:{functionSlug:"shop-greet"}){debugRunID}}',
      "not_implemented",
    ],
  ] as const)
    assert.equal((await refusal(query))[0], code, query);
  for (const body of ["", "no json", '{"query":1}', "[]"]) {
    const { json } = await ask(server.url, "POST", "/v0/gql", { body });
    assert.equal(look(json, "errors.0.extensions.code"), "body_invalid", body);
  }
});

test("introspection tells the schema, and cannot be nested without end", async () => {
  const json = await gql(getIntrospectionQuery().replaceAll(/\s+/g, " "));
  const names = lookArray(json, "data.__schema.types").map((type) => look(type, "name"));
  for (const name of ["FunctionRunV2", "RunTraceSpan", "StepInfo", "ConnectV1WorkerConnection"])
    assert.ok(names.includes(name), name);
  const nested = `{__schema{types{${"fields{type{".repeat(5)}name${"}}".repeat(5)}}}}`;
  assert.equal((await refusal(nested))[0], "query_invalid");
});

test("workers: nobody is connected, and no id is one", async () => {
  const query = `{workerConnections(first:5,orderBy:[{field:"CONNECTED_AT",direction:DESC}],filter:{}){
    totalCount pageInfo{hasNextPage endCursor} edges{node{id}}} workerConnection(connectionId:"x"){id}}`;
  assert.deepEqual(look(await gql(query), "data"), {
    workerConnections: {
      totalCount: 0,
      pageInfo: { hasNextPage: false, endCursor: null },
      edges: [],
    },
    workerConnection: null,
  });
  assert.deepEqual(look(await gql("{apps(filter:{method:CONNECT}){id}}"), "data.apps"), []);
});

test("the page for queries needs nothing from elsewhere, and is not on production servers", async () => {
  const page = await fetch(`${server.url}/v0/`);
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  const text = await page.text();
  assert.match(text, /\/v0\/gql/);
  assert.doesNotMatch(text, /src=|href=|https?:/);
  const keys = { kind: "cloud", signingKeys: ["signkey-test-00aa"] } as const;
  const closed = await startServer({ store: createMemoryStore(), ...keys });
  try {
    const { status, json } = await ask(closed.url, "GET", "/v0/");
    assert.deepEqual([status, look(json, "code")], [404, "route_not_found"]);
  } finally {
    await closed.close();
  }
});
