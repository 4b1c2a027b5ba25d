// OTLP requests, in both encodings, into spans; what OpenTelemetry's own serializers write is read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { hashSample, ulidSample } from "@pawl/store/contract/samples";
import { ServerError } from "../server-error.ts";
import { decodeRequest, encodeResponse, otlpEncoding, type OtlpEncoding } from "./otlp-wire.ts";
import { readSpans, type ReadSpans } from "./read-spans.ts";
import { detailsOf } from "./span-details.ts";

const runId = ulidSample(1);
const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const parentId = "00f067aa0ba902b7";

const whole: ReadableSpan = {
  name: "charge ü",
  kind: SpanKind.CLIENT,
  spanContext: () => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED }),
  parentSpanContext: { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED },
  startTime: [1_700_000_000, 123_456_789],
  endTime: [1_700_000_001, 5_000],
  duration: [0, 0],
  ended: true,
  status: { code: SpanStatusCode.ERROR, message: "declined" },
  attributes: {
    "sdk.run.id": runId,
    "inngest.step.hash": hashSample(3),
    "inngest.step.attempt": 2,
    "inngest.step.parentSpanId": "c".repeat(16),
    "inngest.traceref": `${hashSample(3)}.2`,
    list: ["a", "b"],
    share: 0.5,
    yes: true,
    empty: "",
    large: 9_007_199_254_740_991,
  },
  links: [{ context: { traceId, spanId: parentId, traceFlags: 1 }, attributes: { why: "asked" } }],
  events: [{ name: "retry", time: [1_700_000_000, 200_000_000], attributes: { n: 1 } }],
  resource: resourceFromAttributes({ "service.name": "shop" }),
  instrumentationScope: { name: "stripe", version: "2.0.0" },
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
};

async function read(bytes: Uint8Array, encoding: OtlpEncoding): Promise<ReadSpans> {
  return readSpans(await decodeRequest(bytes, encoding), encoding, 10);
}

function json(value: unknown): ReadSpans {
  return readSpans(value, "json", 10);
}

/** A request with one span, of which `more` replaces members. */
function request(more: object): unknown {
  const span = {
    traceId,
    spanId,
    name: "n",
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000000000000000",
    attributes: [{ key: "pawl.run.id", value: { stringValue: runId } }],
    ...more,
  };
  return { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
}

const serializers = { json: JsonTraceSerializer, protobuf: ProtobufTraceSerializer } as const;

for (const encoding of ["json", "protobuf"] as const satisfies readonly OtlpEncoding[]) {
  test(`${encoding}: what OpenTelemetry writes comes out whole`, async () => {
    const bytes = serializers[encoding].serializeRequest([whole]);
    assert.ok(bytes !== undefined);
    const { spans, rejected } = await read(bytes, encoding);
    assert.equal(rejected.size, 0);
    const [span] = spans;
    assert.ok(span !== undefined && spans.length === 1);
    const { details: _, ...head } = span;
    assert.deepEqual(head, {
      runId,
      id: spanId,
      parentId,
      traceId,
      stepId: hashSample(3),
      stepSpanId: "c".repeat(16),
      attempt: 2,
      call: { target: hashSample(3), attempt: 2 },
      name: "charge ü",
      kind: "client",
      failed: true,
      startedUs: 1_700_000_000_123_456,
      endedUs: 1_700_000_001_000_005,
    });
    assert.deepEqual(detailsOf(span), {
      attributes: { ...whole.attributes },
      resource: { "service.name": "shop" },
      scope: { name: "stripe", version: "2.0.0" },
      statusMessage: "declined",
      events: [{ name: "retry", atUs: 1_700_000_000_200_000, attributes: { n: 1 } }],
      links: [{ traceId, spanId: parentId, attributes: { why: "asked" } }],
    });
  });

  test(`${encoding}: OpenTelemetry reads the answer`, async () => {
    const bytes = (body: string | Uint8Array): Uint8Array => Buffer.from(body);
    const { deserializeResponse } = serializers[encoding];
    const partial = await encodeResponse({ rejected: 3, message: "no ü" }, encoding);
    const { partialSuccess } = deserializeResponse(bytes(partial));
    assert.equal(Number(partialSuccess?.rejectedSpans), 3);
    assert.equal(partialSuccess?.errorMessage, "no ü");
    assert.equal(
      deserializeResponse(bytes(await encodeResponse(null, encoding))).partialSuccess,
      undefined,
    );
  });

  test(`${encoding}: any bytes are spans or a refusal that says why`, async () => {
    const bytes = serializers[encoding].serializeRequest([whole]) ?? new Uint8Array();
    const damaged = fc
      .tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length))
      .map(([at, byte, length]) =>
        Buffer.from(bytes)
          .fill(byte, at, at + 1)
          .subarray(0, length),
      );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), damaged), async (some) => {
        try {
          const { spans, rejected } = await read(some, encoding);
          for (const span of spans) assert.match(span.id, /^[0-9a-f]{16}$/);
          for (const reason of rejected.keys()) assert.match(reason, /^The span /);
        } catch (error) {
          assert.ok(error instanceof ServerError, String(error));
          assert.equal(error.code, "body_invalid");
        }
      }),
      { numRuns: 500 },
    );
  });
}

test("a span that cannot be used is counted with its reason, and the others are taken", () => {
  const reasons = [
    request({ spanId: "0".repeat(16) }),
    request({ traceId: "xyz" }),
    request({ startTimeUnixNano: "yesterday" }),
    request({ endTimeUnixNano: "18446744073709551615" }),
    request({ endTimeUnixNano: 1e300 }),
    request({ attributes: [] }),
    request({ attributes: [{ key: "sdk.run.id", value: { stringValue: "x".repeat(65) } }] }),
    { resourceSpans: [{ scopeSpans: [{ spans: [null] }] }] },
  ].map((body) => {
    const { spans, rejected } = json(body);
    assert.equal(spans.length, 0);
    return [...rejected].map(([reason, count]) => `${String(count)} ${reason}`).join();
  });
  assert.match(reasons[0] ?? "", /^1 The span cannot be read: spanId: must be 16 hex digits/);
  assert.match(reasons[1] ?? "", /traceId: must be 32 hex digits/);
  assert.match(reasons[2] ?? "", /startTimeUnixNano/);
  assert.match(reasons[3] ?? "", /endTimeUnixNano: lies too far in the future/);
  assert.match(reasons[4] ?? "", /endTimeUnixNano: lies too far in the future/);
  assert.match(reasons[5] ?? "", /lacks the attribute sdk.run.id or pawl.run.id/);
  assert.match(reasons[6] ?? "", /too long/);
  assert.match(reasons[7] ?? "", /cannot be read/);
});

test("ids in upper case, no parent, numbers for times, and ends before beginnings are understood", () => {
  const { spans } = json(
    request({
      spanId: spanId.toUpperCase(),
      parentSpanId: "",
      startTimeUnixNano: 1_700_000_000_000_000_000,
      endTimeUnixNano: "5",
      kind: "SPAN_KIND_CONSUMER",
      status: { code: "STATUS_CODE_ERROR" },
    }),
  );
  const [span] = spans;
  assert.deepEqual(
    [span?.id, span?.parentId, span?.kind, span?.failed, span?.startedUs, span?.endedUs],
    [spanId, null, "consumer", true, 1_700_000_000_000_000, 1_700_000_000_000_000],
  );
});

test("values of any kind become JSON, deep ones up to a bound", () => {
  let deep: unknown = { stringValue: "bottom" };
  for (let n = 0; n < 50; n++) deep = { arrayValue: { values: [deep] } };
  const kvlist = {
    kvlistValue: { values: [{ key: "a", value: { intValue: "9223372036854775807" } }] },
  };
  const attributes = [
    { key: "pawl.run.id", value: { stringValue: runId } },
    { key: "deep", value: deep },
    { key: "map", value: kvlist },
    { key: "__proto__", value: { boolValue: false } },
    { key: "odd", value: { unheardOf: 1 } },
    { key: "none" },
  ];
  const [span] = json(request({ attributes })).spans;
  assert.ok(span !== undefined);
  const { attributes: read } = detailsOf(span);
  assert.deepEqual(read["map"], { a: "9223372036854775807" });
  assert.deepEqual([read["odd"], read["none"]], [null, null]);
  assert.match(JSON.stringify(read["deep"]), /^\[{19,20}null\]+$/);
  assert.ok(Object.hasOwn(read, "__proto__"));
});

test("what is no request, or has too many spans, is refused as a whole", async () => {
  for (const body of [[], 5, { resourceSpans: 5 }, { resourceSpans: [{ scopeSpans: {} }] }])
    assert.throws(() => json(body), { code: "body_invalid" });
  const many = {
    resourceSpans: [{ scopeSpans: [{ spans: Array.from({ length: 11 }, () => ({})) }] }],
  };
  assert.throws(() => json(many), { code: "spans_too_many", message: /11 spans; the limit is 10/ });
  await assert.rejects(read(Buffer.from([0xff]), "json"), { code: "body_invalid" });
  assert.deepEqual(json({}).spans, []);
});

test("the content type names the encoding", () => {
  assert.equal(otlpEncoding("application/json; charset=utf-8"), "json");
  assert.equal(otlpEncoding("Application/X-Protobuf"), "protobuf");
  assert.equal(otlpEncoding("text/plain"), null);
  assert.equal(otlpEncoding(null), null);
});
