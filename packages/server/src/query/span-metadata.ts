// Which span of a trace shows which metadata. It must not know how an API writes either.
import { metadataId, type MetadataRecord } from "@pawl/engine/metadata-records";
import { userSpanPrefix, type Span } from "./trace.ts";

/** The same tree with the metadata of the run on its spans, each entry on exactly one. */
export function withMetadata(root: Span, records: readonly MetadataRecord[]): Span {
  if (records.length === 0) return root;
  const ids = new Set<string>();
  collectIds(root, ids);
  const sorted = records.toSorted((a, b) => (metadataId(a) < metadataId(b) ? -1 : 1));
  const bySpan = Map.groupBy(sorted, (record) => spanOf(record).find((id) => ids.has(id)));
  return placed(root, new Map([...bySpan, [root.id, rootsOwn(root, bySpan)]]));
}

/** Where a span is missing that metadata is about, nothing is lost: the run shows it. */
function rootsOwn(
  root: Span,
  bySpan: ReadonlyMap<string | undefined, readonly MetadataRecord[]>,
): readonly MetadataRecord[] {
  return [...(bySpan.get(root.id) ?? []), ...(bySpan.get(undefined) ?? [])];
}

function collectIds(span: Span, ids: Set<string>): void {
  ids.add(span.id);
  for (const child of span.children) collectIds(child, ids);
}

/** Ids of spans that may show it, the best first: a step that took one attempt has no span for it. */
function spanOf({ stepId, attempt, spanId }: MetadataRecord): readonly string[] {
  const user = spanId === null ? [] : [userSpanPrefix + spanId];
  if (stepId === null) return user;
  const step = `step.${stepId}`;
  return attempt === null
    ? [...user, step]
    : [...user, `attempt.${stepId}.${String(attempt)}`, step];
}

function placed(
  span: Span,
  bySpan: ReadonlyMap<string | undefined, readonly MetadataRecord[]>,
): Span {
  return {
    ...span,
    metadata: bySpan.get(span.id) ?? [],
    children: span.children.map((child) => placed(child, bySpan)),
  };
}
