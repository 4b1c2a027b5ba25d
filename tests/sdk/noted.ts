// Metadata of runs, read back by the queries that the published SDK's own suites send (protocol.md 8.4).
import assert from "node:assert/strict";
import type { Api } from "../support/api.ts";

type Values = Readonly<Record<string, unknown>>;

interface SpanInfo {
  readonly name: string;
  readonly metadata: readonly {
    readonly scope: string;
    readonly kind: string;
    readonly values: Values;
    readonly updatedAt?: string;
  }[];
  readonly childrenSpans?: readonly SpanInfo[];
}

const harnessQuery =
  "fragment TraceMetadataFields on RunTraceSpan{name stepID spanID metadata{scope kind values updatedAt}} query($runId:String!){run(runID:$runId){trace(preview:true){...TraceMetadataFields childrenSpans{...TraceMetadataFields childrenSpans{...TraceMetadataFields}}}}}";
const tracesQuery =
  "query Query($runID:String!,$preview:Boolean){run(runID:$runID){trace(preview:$preview){childrenSpans{metadata{scope kind values} name}}}}";

async function traceOf(api: Api, query: string, variables: object): Promise<SpanInfo> {
  const { body } = await api.request("POST", "/v0/gql", { query, variables });
  const answer = body as { data: { run: { trace: SpanInfo } }; errors?: unknown }; // proof: GraphQL's answer
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data.run.trace;
}

function notedOn(span: SpanInfo | undefined): Record<string, Values> {
  const entries = (span?.metadata ?? []).map(({ scope, kind, values }) => {
    return [`${scope} ${kind}`, values] as const;
  });
  return Object.fromEntries(entries);
}

/** By the name of each span: `scope kind` and values. Both queries must tell the same of steps. */
export async function noted(
  api: Api,
  runId: string,
): Promise<Record<string, Record<string, Values>>> {
  const root = await traceOf(api, harnessQuery, { runId });
  const spans = [root, ...(root.childrenSpans ?? [])];
  for (const { metadata } of spans)
    for (const { updatedAt } of metadata) assert.ok(Date.parse(updatedAt ?? "") > 0);
  const other = await traceOf(api, tracesQuery, { runID: runId, preview: true });
  for (const { name } of other.childrenSpans ?? []) {
    const named = (span: SpanInfo): boolean => span.name === name;
    assert.deepEqual(
      notedOn(other.childrenSpans?.find(named)),
      notedOn(root.childrenSpans?.find(named)),
    );
  }
  return Object.fromEntries(spans.map((span) => [span.name, notedOn(span)]));
}
