// What an app says of one of its spans, as the APIs write it. It must not know where in a trace it stands.
import { z } from "zod";
import type { UserSpan } from "@pawl/engine/user-spans";
import { detailsOf } from "../traces/span-details.ts";

/** The `UserlandSpan` of GraphQL (protocol.md 8.4): attributes are JSON texts of objects. */
export function userlandSpan(span: UserSpan | null): object | null {
  if (span === null) return null;
  const { attributes, resource, scope } = detailsOf(span);
  return {
    spanName: span.name,
    spanKind: `SPAN_KIND_${span.kind.toUpperCase()}`,
    serviceName: serviceIn(resource),
    scopeName: scope.name,
    scopeVersion: scope.version,
    spanAttrs: JSON.stringify(attributes),
    resourceAttrs: JSON.stringify(resource),
  };
}

const attributes = z.record(z.string(), z.json());
const text = z.string().nullable();
const microseconds = z.int().describe("Microseconds since the epoch.");

/** What `userSpanV1` writes. */
export const userSpanV1Schema = z.object({
  trace_id: z.string(),
  kind: z.string(),
  service_name: text,
  scope_name: text,
  scope_version: text,
  started_us: microseconds,
  ended_us: microseconds,
  status_message: text,
  attributes,
  resource: attributes,
  events: z.array(z.object({ name: z.string(), at_us: microseconds, attributes })),
  links: z.array(z.object({ trace_id: z.string(), span_id: z.string(), attributes })),
});

/** What `userSpanV2` writes. */
export const userSpanV2Schema = z.object({
  traceId: z.string(),
  kind: z.string(),
  serviceName: text,
  scopeName: text,
  scopeVersion: text,
  startedUs: microseconds,
  endedUs: microseconds,
  statusMessage: text,
  attributes,
  resource: attributes,
  events: z.array(z.object({ name: z.string(), atUs: microseconds, attributes })),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string(), attributes })),
});

/** The member `userland` of a span in the REST API v1. */
export function userSpanV1(span: UserSpan): object {
  const { attributes, resource, scope, statusMessage, events, links } = detailsOf(span);
  return {
    trace_id: span.traceId,
    kind: span.kind,
    service_name: serviceIn(resource),
    scope_name: scope.name,
    scope_version: scope.version,
    started_us: span.startedUs,
    ended_us: span.endedUs,
    status_message: statusMessage,
    attributes,
    resource,
    events: events.map(({ name, atUs, attributes }) => ({ name, at_us: atUs, attributes })),
    links: links.map(({ traceId, spanId, attributes }) => ({
      trace_id: traceId,
      span_id: spanId,
      attributes,
    })),
  };
}

/** The member `userland` of a span in the REST API v2. */
export function userSpanV2(span: UserSpan): object {
  const { scope, ...details } = detailsOf(span);
  return {
    traceId: span.traceId,
    kind: span.kind,
    serviceName: serviceIn(details.resource),
    scopeName: scope.name,
    scopeVersion: scope.version,
    startedUs: span.startedUs,
    endedUs: span.endedUs,
    ...details,
  };
}

function serviceIn(resource: Readonly<Record<string, unknown>>): string | null {
  const name = resource["service.name"];
  return typeof name === "string" ? name : null;
}
