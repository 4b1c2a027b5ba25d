// From an OTLP request to spans of user code, each judged by itself: one that cannot be used is
// rejected with the reason, the others are taken. It must not know runs or stores.
import { z } from "zod";
import type { UserSpan, UserSpanKind } from "@pawl/engine/user-spans";
import type { JsonText } from "@pawl/protocol/json-text";
import { ServerError } from "../server-error.ts";
import type { OtlpEncoding } from "./otlp-wire.ts";
import { writeDetails, type Attributes } from "./span-details.ts";
import { callOfTraceRef } from "./trace-ref.ts";

/** Reasons and how many spans each kept out. */
export type Rejections = Map<string, number>;

/** The spans that can be used, and why others cannot. */
export interface ReadSpans {
  readonly spans: readonly UserSpan[];
  readonly rejected: Rejections;
}

/** Attributes that name the run, the step: those of the published SDKs, then ours. */
const runKeys = ["sdk.run.id", "pawl.run.id"];
const stepKeys = ["inngest.step.hash", "pawl.step.id"];
const runIdCharsMax = 64;
const valueDepthMax = 20;

const attributes = z
  .array(z.looseObject({ key: z.string(), value: z.unknown().optional() }))
  .nullish()
  .transform((list) =>
    Object.fromEntries((list ?? []).map(({ key, value }) => [key, plain(value, valueDepthMax)])),
  );

const requestSchema = z.looseObject({
  resourceSpans: z
    .array(
      z.looseObject({
        resource: z.looseObject({ attributes }).nullish(),
        scopeSpans: z
          .array(
            z.looseObject({
              scope: z
                .looseObject({ name: z.string().nullish(), version: z.string().nullish() })
                .nullish(),
              spans: z.array(z.unknown()).nullish(),
            }),
          )
          .nullish(),
      }),
    )
    .nullish(),
});

/** Nanoseconds, as text or as a number, in microseconds. */
const time = z
  .union([z.string().regex(/^\d{1,20}$/), z.number().nonnegative().refine(Number.isInteger)])
  .transform((nanos) => Number(BigInt(nanos) / 1_000n))
  .refine((micros) => Number.isSafeInteger(micros), { message: "lies too far in the future" });

function spanSchema(encoding: OtlpEncoding) {
  const id = (digits: number) =>
    z
      .string()
      .transform((text) => (encoding === "json" ? text.toLowerCase() : hexOfBase64(text)))
      .refine((text) => text.length === digits && /^[0-9a-f]+$/.test(text) && /[^0]/.test(text), {
        message: `must be ${String(digits)} hex digits, not all 0`,
      });
  return z.looseObject({
    traceId: id(32),
    spanId: id(16),
    parentSpanId: z
      .union([z.literal(["", "0000000000000000", "AAAAAAAAAAA="]).transform(() => null), id(16)])
      .nullish(),
    name: z.string().nullish(),
    kind: z.union([z.int(), z.string()]).nullish(),
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes,
    events: z
      .array(z.looseObject({ timeUnixNano: time, name: z.string().nullish(), attributes }))
      .nullish(),
    links: z.array(z.looseObject({ traceId: id(32), spanId: id(16), attributes })).nullish(),
    status: z
      .looseObject({
        code: z.union([z.int(), z.string()]).nullish(),
        message: z.string().nullish(),
      })
      .nullish(),
  });
}

const schemas = { json: spanSchema("json"), protobuf: spanSchema("protobuf") };

interface Around {
  readonly resource: Attributes;
  readonly scope: { readonly name: string | null; readonly version: string | null };
}

/**
 * The spans of a request as `decodeRequest` gives it. Throws `body_invalid`, and `spans_too_many` when
 * there are more than `spansMax`.
 */
export function readSpans(request: unknown, encoding: OtlpEncoding, spansMax: number): ReadSpans {
  const read = requestSchema.safeParse(request);
  if (!read.success) throw notOtlp(read.error);
  const found = (read.data.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
    (scopeSpans ?? []).flatMap(({ scope, spans }) => {
      const around: Around = {
        resource: resource?.attributes ?? {},
        scope: { name: scope?.name ?? null, version: scope?.version ?? null },
      };
      return (spans ?? []).map((span) => ({ span, around }));
    }),
  );
  if (found.length > spansMax) throw tooMany(found.length, spansMax);
  const spans: UserSpan[] = [];
  const rejected: Rejections = new Map();
  for (const { span, around } of found) {
    const result = readSpan(span, around, encoding);
    if (typeof result === "string") rejected.set(result, (rejected.get(result) ?? 0) + 1);
    else spans.push(result);
  }
  return { spans, rejected };
}

/** The span, or why it cannot be used. */
function readSpan(value: unknown, around: Around, encoding: OtlpEncoding): UserSpan | string {
  const read = schemas[encoding].safeParse(value);
  if (!read.success) return `The span cannot be read: ${problemOf(read.error)}.`;
  const span = read.data;
  const told = { ...around.resource, ...span.attributes };
  const runId = textAt(told, runKeys);
  if (runId === null)
    return `The span names no run: it lacks the attribute ${runKeys.join(" or ")}.`;
  if (runId.length > runIdCharsMax)
    return `The span names no run: ${runKeys.join(" or ")} is too long.`;
  const { "inngest.step.attempt": attempt } = told;
  const startedUs = span.startTimeUnixNano;
  return {
    runId,
    id: span.spanId,
    parentId: span.parentSpanId ?? null,
    traceId: span.traceId,
    stepId: textAt(told, stepKeys),
    stepSpanId: textAt(told, ["inngest.step.parentSpanId"]),
    attempt: typeof attempt === "number" && Number.isSafeInteger(attempt) ? attempt : null,
    call: callOfTraceRef(textAt(told, ["inngest.traceref"]) ?? ""),
    name: span.name ?? "",
    kind: kindOf(span.kind ?? 0),
    failed: span.status?.code === 2 || span.status?.code === "STATUS_CODE_ERROR",
    startedUs,
    endedUs: Math.max(startedUs, span.endTimeUnixNano),
    details: writtenDetails(span, around),
  };
}

function writtenDetails(
  span: z.output<(typeof schemas)["json"]>,
  { resource, scope }: Around,
): JsonText {
  return writeDetails({
    attributes: span.attributes,
    resource,
    scope,
    statusMessage: span.status?.message ?? null,
    events: (span.events ?? []).map(({ name, timeUnixNano, attributes }) => ({
      name: name ?? "",
      atUs: timeUnixNano,
      attributes,
    })),
    links: (span.links ?? []).map(({ traceId, spanId, attributes }) => ({
      traceId,
      spanId,
      attributes,
    })),
  });
}

const kinds: readonly UserSpanKind[] = [
  "internal",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
];

function kindOf(kind: number | string): UserSpanKind {
  if (typeof kind === "number") return kinds[kind] ?? "internal";
  return kinds.find((known) => `SPAN_KIND_${known.toUpperCase()}` === kind) ?? "internal";
}

function textAt(told: Attributes, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = told[key];
    if (typeof value === "string" && value !== "") return value;
  }
  return null;
}

/** The value of an `AnyValue`; what lies deeper than `depth` is null. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth === 0) return null;
  const [[kind, held] = ["", null]] = Object.entries(value);
  switch (kind) {
    case "intValue": {
      const number = Number(held);
      return Number.isSafeInteger(number) ? number : String(held);
    }
    case "arrayValue":
      return listIn(held).map((item) => plain(item, depth - 1));
    case "kvlistValue":
      return Object.fromEntries(
        listIn(held).map((item) => {
          const { key, value: inner } = new Object(item) as { key?: unknown; value?: unknown }; // proof: any object has these or not
          return [String(key), plain(inner, depth - 1)];
        }),
      );
    case "stringValue":
    case "boolValue":
    case "doubleValue":
    case "bytesValue":
      return typeof held === "object" ? null : held;
    default:
      return null;
  }
}

function listIn(held: unknown): readonly unknown[] {
  const values = typeof held === "object" && held !== null && "values" in held ? held.values : [];
  return Array.isArray(values) ? values : [];
}

function hexOfBase64(text: string): string {
  return Buffer.from(text, "base64").toString("hex");
}

function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`;
}

function notOtlp(error: z.ZodError): ServerError {
  const message = `The body is no OTLP ExportTraceServiceRequest: ${problemOf(error)}.`;
  return new ServerError("body_invalid", message);
}

function tooMany(count: number, spansMax: number): ServerError {
  return new ServerError(
    "spans_too_many",
    `The request has ${String(count)} spans; the limit is ${String(spansMax)} (--spans-per-request-max). Send them in several.`,
  );
}
