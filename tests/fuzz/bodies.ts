// A right body for each route that OpenAPI does not describe: the wire of apps and senders, and the
// query languages. Routes it does not know get any JSON. It must not know how requests are sent.
import type { Dice } from "../crash/random.ts";
import { jsonOf, oddText, pick, urlOf, valueOf, type Places } from "./values.ts";

/** A body for a route; `schema` is what OpenAPI says of it, undefined when it says nothing. */
export function bodyFor(dice: Dice, places: Places, pattern: string, schema: unknown): string {
  if (/\/traces/.test(pattern)) return spans(dice, places);
  if (schema !== undefined) return JSON.stringify(valueOf(dice, places, schema));
  if (pattern.startsWith("/e")) return events(dice, places);
  if (pattern.startsWith("/invoke")) return `{"data":${jsonOf(dice, places, 2)}}`;
  if (pattern === "/fn/register") return registration(dice, places);
  if (pattern === "/v1/checkpoint" || pattern === "/v1/http/runs") return endpointRun(dice, places);
  if (/\/async$|\/steps$|\/checkpoint/.test(pattern)) return checkpoint(dice, places);
  if (pattern === "/v0/gql") return JSON.stringify(query(dice, places));
  if (pattern === "/mcp") return rpc(dice, places);
  return jsonOf(dice, places, 3);
}

function event(dice: Dice, places: Places): string {
  const more = dice.chance(0.3)
    ? `,"id":${JSON.stringify(oddText(dice, places))},"ts":${String(dice.between(0, 2_000_000_000_000))}`
    : "";
  const name = dice.chance(0.7) ? "greet" : oddText(dice, places);
  return `{"name":${JSON.stringify(name)},"data":{"a":${jsonOf(dice, places, 2)}}${more}}`;
}

function events(dice: Dice, places: Places): string {
  const some = Array.from({ length: dice.between(0, 5) }, () => event(dice, places));
  return pick(dice, [event(dice, places), `[${some.join(",")}]`, some.join("\n")]);
}

/** OTLP in JSON: spans of runs that are there and of others, under each other in any way. */
function spans(dice: Dice, places: Places): string {
  const id = (digits: number): string =>
    dice.chance(0.9) ? String(dice.between(0, 9)).padStart(digits, "e") : oddText(dice, places);
  const some = Array.from({ length: dice.between(0, 6) }, () => ({
    traceId: id(32),
    spanId: id(16),
    parentSpanId: dice.chance(0.5) ? id(16) : "",
    name: oddText(dice, places),
    kind: dice.between(0, 7),
    startTimeUnixNano: `${String(dice.between(0, 2_000_000_000))}000000000`,
    endTimeUnixNano: dice.chance(0.9) ? "2000000000000000000" : oddText(dice, places),
    attributes: [
      { key: "sdk.run.id", value: { stringValue: oddText(dice, places) } },
      { key: "inngest.traceref", value: { stringValue: `step.${String(dice.between(0, 3))}` } },
      { key: "any", value: fromText(jsonOf(dice, places, 2)) },
    ],
    status: { code: dice.between(0, 3), message: oddText(dice, places) },
  }));
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: some }] }] });
}

function fromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const flows: readonly object[] = [
  {},
  { concurrency: [{ limit: 1, key: "event.data.a" }, { limit: 2 }] },
  { throttle: { limit: 1, period: "1s" } },
  { rateLimit: { limit: 1, period: "60s", key: "event.data.a" } },
  { debounce: { period: "1s", timeout: "2s" } },
  { batchEvents: { maxSize: 2, timeout: "1s" } },
  { priority: { run: "event.data.a" } },
  { singleton: { mode: "cancel" } },
  { cancel: [{ event: "greet", if: "event.data.a == async.data.a" }] },
  { timeouts: { start: "1s", finish: "2s" } },
  { idempotency: "event.data.a" },
];

function registration(dice: Dice, places: Places): string {
  const app = pick(dice, ["shop", "fuzz", "other"]);
  const functions = Array.from({ length: dice.between(0, 3) }, (_, index) => {
    const id = `${app}-${pick(dice, ["greet", `f${String(index)}`])}`;
    const url = `${urlOf(dice, places)}?fnId=${id}&stepId=step`;
    const trigger = dice.chance(0.8)
      ? { event: pick(dice, ["greet", "fuzz/*", "other"]) }
      : {
          cron: pick(dice, [
            "0 0 1 1 *",
            "TZ=Europe/Paris 0 9 * * *",
            "61 * * * *",
            oddText(dice, places),
          ]),
        };
    const runtime = { type: "http", url };
    const steps = {
      step: { id: "step", name: "step", runtime, retries: { attempts: dice.between(0, 3) } },
    };
    return { id, name: oddText(dice, places), triggers: [trigger], steps, ...pick(dice, flows) };
  });
  return JSON.stringify({
    url: urlOf(dice, places),
    appName: app,
    deployType: "ping",
    framework: "nodejs",
    sdk: "js:v4.24.0",
    v: "0.1",
    functions,
  });
}

const opcodes: readonly string[] = [
  "StepRun",
  "StepError",
  "StepFailed",
  "StepPlanned",
  "Sleep",
  "WaitForEvent",
  "InvokeFunction",
  "WaitForSignal",
  "RunComplete",
  "RunError",
  "DeferAdd",
  "AIGateway",
  "Gateway",
  "Nonsense",
];

function endpointRun(dice: Dice, places: Places): string {
  const data = {
    domain: pick(dice, [places.appUrl, places.appUrl, oddText(dice, places)]),
    method: pick(dice, ["GET", "POST", oddText(dice, places)]),
    path: pick(dice, ["/a", "/b", oddText(dice, places)]),
    query_params: pick(dice, ["", "a=1", oddText(dice, places)]),
    content_type: pick(dice, ["", "application/json", oddText(dice, places)]),
    body: oddText(dice, places),
    fn: pick(dice, ["", "one", oddText(dice, places)]),
  };
  const steps = pick(dice, ["[]", checkpoint(dice, places)]);
  const tail = Array.from({ length: 6 }, () => String(dice.between(0, 9))).join("");
  return JSON.stringify({
    run_id: pick(dice, [`01ARZ3NDEKTSV4RRFFQ6${tail}`, oddText(dice, places)]),
    event: { name: "inngest/http.request", data },
    steps: (JSON.parse(steps) as { steps?: unknown }).steps ?? [], // proof: made right above
    ts: 1,
    request_version: pick(dice, [-1, 1, 2]),
    retries: pick(dice, [null, 0, 3, 1e9]),
  });
}

function checkpoint(dice: Dice, places: Places): string {
  const steps = Array.from({ length: dice.between(0, 4) }, () => ({
    id: oddText(dice, places),
    op: pick(dice, opcodes),
    name: oddText(dice, places),
    displayName: oddText(dice, places),
    opts: { event: "greet", timeout: "1s", function_id: "shop-greet", payload: {} },
    data: { a: 1 },
  }));
  return JSON.stringify({
    fn_id: oddText(dice, places),
    run_id: oddText(dice, places),
    qi_id: oddText(dice, places),
    request_id: oddText(dice, places),
    steps,
    ts: 1,
  });
}

const fields: readonly string[] = [
  "apps{id name url functions{slug app{id}}}",
  'app(id:"x"){id}',
  "functions{id slug config triggers{value}}",
  "stream(query:{limit:5}){id trigger runs{id function{name}}}",
  "events(query:{}){id name payload}",
  'runs(orderBy:[{field:QUEUED_AT,direction:DESC}],filter:{from:"2020-01-01T00:00:00Z"}){edges{node{id trace{name childrenSpans{outputID}}}}}',
  'mutation{cancelRun(runID:"x"){id}}',
  'mutation{invokeFunction(functionSlug:"shop-greet",data:{a:1})}',
  "__schema{types{name fields{name type{name ofType{name}}}}}",
  "run(runID:$id){id status output trace(preview:true){status}}",
  "runTrigger(runID:$id){payloads}",
  "runTraceSpanOutputByID(outputID:$id){data error{message}}",
  "eventV2(id:$id){raw}",
  "nothing",
];

function query(dice: Dice, places: Places): object {
  const field = pick(dice, fields);
  const declared = field.includes("$id") ? "query($id:String!)" : "";
  const text = field.startsWith("mutation") ? field : `${declared}{${field}}`;
  const nested = "{a:runs".repeat(dice.between(1, 60));
  return {
    query: dice.chance(0.1) ? nested : text,
    variables: { id: oddText(dice, places) },
    ...(dice.chance(0.1) ? { operationName: oddText(dice, places) } : null),
  };
}

const tools: readonly string[] = [
  "send_event",
  "list_functions",
  "invoke_function",
  "get_run_status",
  "poll_run_status",
  "grep_docs",
  "read_doc",
  "list_docs",
];

function rpc(dice: Dice, places: Places): string {
  // Waits are short: a fuzz run has better things to do.
  const args = {
    name: "greet",
    functionId: "shop-greet",
    runId: oddText(dice, places),
    runIds: [oddText(dice, places)],
    path: oddText(dice, places),
    pattern: oddText(dice, places),
    timeout: 0,
    data: { a: 1 },
  };
  const wanted = Object.entries(args).filter(([name]) => name === "timeout" || dice.chance(0.4));
  const call = { name: pick(dice, tools), arguments: Object.fromEntries(wanted) };
  const message = {
    jsonrpc: "2.0",
    id: pick(dice, [1, "a", 0]),
    method: pick(dice, [
      "tools/call",
      "tools/call",
      "tools/list",
      "initialize",
      "ping",
      "notifications/initialized",
      "x",
    ]),
    params: call,
  };
  return JSON.stringify(dice.chance(0.1) ? [message, message] : message);
}
