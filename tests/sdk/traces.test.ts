// Spans of user code: apps on the published SDKs with extended traces send them, and GraphQL shows them
// below the steps whose code made them.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Child } from "../support/child.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { freePort } from "../support/ports.ts";
import type { TracedApp } from "./traces/settings.ts";

const signingKey = "signkey-test-12345678";

interface Shown {
  readonly name: string;
  readonly status: string;
  readonly isUserland: boolean;
  readonly userlandSpan: Readonly<Record<string, string | null>> | null;
  readonly childrenSpans?: readonly Shown[];
}

const cases: readonly (readonly [sdk: "js4" | "js3", settings: Omit<TracedApp, "serverUrl">])[] = [
  ["js4", { checkpointing: true, signingKey: null }],
  ["js4", { checkpointing: false, signingKey }],
  ["js3", { checkpointing: true, signingKey: null }],
  ["js3", { checkpointing: false, signingKey }],
];

suite("spans of user code", { timeout: 120_000 }, () => {
  for (const [sdk, settings] of cases) {
    const how = `${settings.checkpointing ? "with" : "without"} checkpointing, ${settings.signingKey === null ? "in development" : "with keys"}`;
    test(`${sdk} ${how}: spans appear below their steps`, () => traced(sdk, settings));
  }
});

async function traced(sdk: string, settings: Omit<TracedApp, "serverUrl">): Promise<void> {
  const port = await freePort();
  const serverUrl = `http://127.0.0.1:${String(port)}`;
  let url: string | null = null;
  const app = await Child.start({
    args: [fileURLToPath(new URL(`traces/app-${sdk}.ts`, import.meta.url))],
    environment: { TRACED_APP: JSON.stringify({ ...settings, serverUrl }), NODE_ENV: "test" },
    onMessage: (message) => {
      ({ url } = message as { url: string }); // proof: sent by `listening`
    },
  });
  const stops: (() => Promise<unknown>)[] = [() => app.stop("SIGKILL")];
  try {
    const appUrl = await eventually("the app serves", () => url);
    const server = await PawlServer.start({
      port,
      apps: [appUrl],
      flags: ["--retry-interval", "1", "--log-level", "error"],
      ...(settings.signingKey === null ? null : { command: "start", signingKey }),
    });
    stops.push(() => server.stop());
    await eventually("the app is synced", async () => {
      const { body } = await server.api.request("GET", "/v1/functions");
      return JSON.stringify(body).includes('"app-work"');
    });
    const run = await server.api.runOf({ name: "work", data: {} });
    assert.equal(run.status, "Completed", JSON.stringify(run.output));
    const root = await eventually("the last span has come", async () => {
      const trace = await traceOf(server, run.run_id);
      return JSON.stringify(trace).split('"spanName":"try"').length === 3 && trace;
    });
    check(root);
  } catch (error) {
    throw new Error(`${String(error)}\n${app.output}`, { cause: error });
  } finally {
    await Promise.all(stops.map((stop) => stop()));
  }
}

function check(root: Shown): void {
  const load = named(root, "load");
  const order = named(load, "load order");
  assert.deepEqual([order.isUserland, order.status], [true, "COMPLETED"]);
  const { spanAttrs, resourceAttrs, ...face } = order.userlandSpan ?? {};
  assert.deepEqual(face, {
    spanName: "load order",
    spanKind: "SPAN_KIND_INTERNAL",
    serviceName: "shop",
    scopeName: "shop",
    scopeVersion: "1.2.3",
  });
  assert.match(spanAttrs ?? "", /"order":7[,}]/);
  assert.match(resourceAttrs ?? "", /"service.name":"shop"/);
  assert.equal(named(order, "query").userlandSpan?.["spanKind"], "SPAN_KIND_CLIENT");

  const flaky = named(root, "flaky");
  const tries = everyBelow(flaky).filter(({ name }) => name === "try");
  assert.deepEqual(
    tries.map(({ status }) => status),
    ["FAILED", "COMPLETED"],
  );
  // Each is below the attempt that it was.
  const attempts = (flaky.childrenSpans ?? []).filter(({ name }) => name.startsWith("Attempt"));
  assert.deepEqual(
    attempts.map((attempt) =>
      everyBelow(attempt)
        .filter(({ name }) => name === "try")
        .map(({ status }) => status),
    ),
    [["FAILED"], ["COMPLETED"]],
  );
  // The SDK's own spans of its calls.
  assert.ok(everyBelow(root).some(({ name }) => name === "inngest.execution"));
}

function everyBelow(span: Shown): readonly Shown[] {
  return (span.childrenSpans ?? []).flatMap((child) => [child, ...everyBelow(child)]);
}

function named(span: Shown, name: string): Shown {
  const found = everyBelow(span).find((child) => child.name === name);
  assert.ok(found !== undefined, `no ${name} in ${JSON.stringify(span, null, 1)}`);
  return found;
}

async function traceOf(server: PawlServer, runId: string): Promise<Shown> {
  const fields =
    "name status isUserland userlandSpan{spanName spanKind serviceName scopeName scopeVersion spanAttrs resourceAttrs}";
  const nested = [1, 2, 3, 4, 5].reduce((inner) => `${fields} childrenSpans{${inner}}`, fields);
  const query = `query($runId:String!){run(runID:$runId){trace(preview:true){${nested}}}}`;
  const { body } = await server.api.request("POST", "/v0/gql", { query, variables: { runId } });
  return (body as { data: { run: { trace: Shown } } }).data.run.trace; // proof: what the query asks for
}
