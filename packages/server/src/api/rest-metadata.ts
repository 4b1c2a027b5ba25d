// `POST /v1/runs/{id}/metadata`: what apps and people note about a run, a step of it, an attempt or a
// span (protocol.md 5.8, 8.2). The run may have ended. Values stay the text that arrived.
import { z } from "zod";
import type { TargetedUpdate } from "@pawl/engine/metadata-records";
import { assertJson, elementsOf, membersOf } from "@pawl/protocol/json-span";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { metadataKindCharsMax, metadataOps } from "@pawl/protocol/metadata-wire";
import type { HttpResponse } from "../http/response.ts";
import { ServerError } from "../server-error.ts";
import { refusalResponse, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope } from "./envelope.ts";

const idCharsMax = 512;
const updatesMax = 100;

const target = z
  .object({
    run_id: z.string().optional().describe("As in the path."),
    step_id: z
      .string()
      .min(1)
      .max(idCharsMax)
      .nullish()
      .describe("The id as its author wrote it, or the hashed one; without it: the run."),
    step_index: z.int().min(0).nullish().describe("Which repeat of that id, from 0."),
    step_attempt: z.int().min(-1).nullish().describe("From 0; -1 is the latest."),
    span_id: z.string().min(1).max(idCharsMax).nullish().describe("A span that the app recorded."),
  })
  .refine(
    ({ step_id, step_attempt, span_id }) =>
      typeof step_id === "string" ||
      typeof span_id === "string" ||
      typeof step_attempt !== "number",
    { path: ["step_attempt"], message: "names an attempt of a step, so step_id must be given too" },
  );

const body = z.object({
  target,
  metadata: z
    .array(
      z.object({
        kind: z
          .string()
          .min(1)
          .max(metadataKindCharsMax)
          .describe("For example userland.progress."),
        op: z
          .enum(metadataOps)
          .describe(
            "merge: replace these values; set: all; delete: remove these; add: add numbers.",
          ),
        values: z.record(z.string(), z.json()),
      }),
    )
    .min(1)
    .max(updatesMax),
});

/** The route that takes metadata. */
export function restMetadataRoutes(context: ApiContext): readonly DocumentedRoute[] {
  return [
    endpoint({
      method: "POST",
      pattern: "/v1/runs/:id/metadata",
      access: "runs:write",
      tag: "v1 runs",
      summary:
        "Note something about a run, a step, an attempt or a span, whether or not it has ended",
      body,
      bodyBytesMax: context.limits.bodyBytesMax,
      data: z.object({ run_id: z.string() }),
      handle: ({ params: { id = "" }, request, body: { target, metadata } }) => {
        const texts = valueTexts(request.body);
        const updates = metadata.map(
          ({ kind, op }, index): TargetedUpdate => ({
            kind,
            op,
            values: textAt(texts, index),
            target: {
              stepId: target.step_id ?? null,
              stepIndex: target.step_index ?? 0,
              attempt: typeof target.step_id === "string" ? (target.step_attempt ?? null) : null,
              spanId: target.span_id ?? null,
            },
          }),
        );
        return note(context, id, target.run_id ?? id, updates);
      },
    }),
  ];
}

/** The values of each entry as they arrived. */
function valueTexts(body: string): readonly (JsonText | undefined)[] {
  const list = membersOf(assertJson(body)).get("metadata");
  if (list === undefined) return [];
  return elementsOf(list).map((text) => membersOf(text).get("values"));
}

function textAt(texts: readonly (JsonText | undefined)[], index: number): JsonText {
  const text = texts[index];
  if (text === undefined) throw new Error("the schema has let an entry without values through");
  return text;
}

async function note(
  { backend, now }: ApiContext,
  runId: string,
  namedRunId: string,
  updates: readonly TargetedUpdate[],
): Promise<HttpResponse> {
  if (namedRunId !== runId) {
    const message = `The body does not fit: target.run_id is ${namedRunId}, and the path names run ${runId}.`;
    throw new ServerError("body_invalid", message);
  }
  const reply = await backend.submit({ type: "metadata.received", runId, updates });
  if (!reply.ok) return refusalResponse(reply);
  return envelope(now(), toJsonText({ run_id: runId }));
}
