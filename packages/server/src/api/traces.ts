// `POST /v1/traces/userland`, and `/dev/traces` beside it: spans that user code made within runs, as
// OTLP/HTTP sends them (protocol.md 5.8, 8.1 and 8.2). What can be used is taken; what cannot is counted
// and explained, as OTLP has it. A sender may repeat a request.
import { z } from "zod";
import type { UserSpan } from "@pawl/engine/user-spans";
import type { RouteRequest } from "../http/message.ts";
import { httpProblem, problemResponse } from "../http/problem.ts";
import type { HttpResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import {
  decodeRequest,
  encodeResponse,
  otlpEncoding,
  type OtlpEncoding,
} from "../traces/otlp-wire.ts";
import { readSpans, type Rejections } from "../traces/read-spans.ts";
import type { ApiContext } from "./context.ts";
import type { RouteDoc } from "./endpoint.ts";

const contentTypes: Readonly<Record<OtlpEncoding, string>> = {
  json: "application/json",
  protobuf: "application/x-protobuf",
};

const doc: RouteDoc = {
  tag: "v1 traces",
  summary: "Send spans of user code (OTLP/HTTP); each names its run in sdk.run.id or pawl.run.id",
  query: null,
  body: z.looseObject({ resourceSpans: z.array(z.json()) }),
  data: z.object({
    partialSuccess: z
      .object({ rejectedSpans: z.string(), errorMessage: z.string() })
      .optional()
      .meta({ description: "Only when spans were not taken." }),
  }),
  status: 200,
  failureStatus: null,
  isBare: true,
  otherType: contentTypes.protobuf,
};

/** The routes that take spans; those below `/dev` are there on development servers only. */
export function traceRoutes(context: ApiContext): readonly Route[] {
  return (
    [
      ["/v1/traces/userland", "traces:write"],
      ["/dev/traces", "dev"],
      ["/dev/traces/system", "dev"],
    ] as const
  ).map(([pattern, access]) => ({
    method: "POST",
    pattern,
    access,
    bodyBytesMax: context.limits.traceBytesMax,
    readsBody: true,
    anyOrigin: false,
    startsWork: false,
    ...(access === "dev" ? null : { doc }),
    handle: (request) => receive(context, request),
  }));
}

/** Throws `body_invalid` and `spans_too_many`. Nothing of a run was taken when it could not be committed. */
async function receive(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const encoding = otlpEncoding(request.header("content-type"));
  if (encoding === null) return wrongType(request.header("content-type"));
  const read = await request.incoming.readBytes(context.limits.traceBytesMax);
  if (!read.ok) return problemResponse(read.problem);
  const decoded = await decodeRequest(read.bytes, encoding);
  const { spans, rejected } = readSpans(decoded, encoding, context.limits.spansPerRequestMax);
  const byRun = Map.groupBy(spans, (span) => span.runId);
  await Promise.all([...byRun].map(([runId, some]) => take(context, runId, some, rejected)));
  return {
    status: 200,
    headers: { "content-type": contentTypes[encoding] },
    body: await encodeResponse(partial(rejected), encoding),
  };
}

/** What a run does not take is added to `rejected`. */
async function take(
  { backend }: ApiContext,
  runId: string,
  spans: readonly UserSpan[],
  rejected: Rejections,
): Promise<void> {
  const reply = await backend.submit({ type: "spans.received", runId, spans });
  const add = (reason: string, count: number): void => {
    rejected.set(reason, (rejected.get(reason) ?? 0) + count);
  };
  if (!reply.ok) add(reply.message, spans.length);
  else if (reply.value.type === "spans" && reply.value.problem !== null)
    add(reply.value.problem, reply.value.refused);
}

const reasonsShown = 5;

function partial(rejected: Rejections) {
  if (rejected.size === 0) return null;
  const reasons = [...rejected];
  const shown = reasons.slice(0, reasonsShown).map(([why, count]) => `${String(count)}: ${why}`);
  const more = reasons.length - shown.length;
  return {
    rejected: reasons.reduce((sum, [, count]) => sum + count, 0),
    message: [...shown, ...(more > 0 ? [`and ${String(more)} more reasons`] : [])].join(" "),
  };
}

function wrongType(contentType: string | null): HttpResponse {
  const given = contentType === null ? "none" : JSON.stringify(contentType.slice(0, 100));
  const message = `Spans come as OTLP, with content-type application/x-protobuf or application/json, not ${given}.`;
  return problemResponse(httpProblem(415, "content_type_invalid", message));
}
