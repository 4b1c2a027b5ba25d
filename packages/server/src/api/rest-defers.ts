// `GET /v1/runs/{id}/defers`: the functions that a run has deferred, and what became of them.
import { z } from "zod";
import { toJsonText } from "@pawl/protocol/json-text";
import { defersOfRun, type ShownDefer } from "../query/defers.ts";
import { runNotFound, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope } from "./envelope.ts";
import { timeOrNull } from "./words.ts";

const time = z.iso.datetime();

const deferSchema = z.object({
  id: z.string().describe("As its author wrote it."),
  hashed_id: z.string(),
  function: z.string().describe("Slug, as the app named it; there may be no such function."),
  status: z.enum(["scheduled", "sent", "aborted", "rejected"]),
  reason: z.string().nullable().describe("Why it was rejected."),
  added_at: time,
  event_id: z.string().nullable().describe("Of the event that it was sent as."),
  run_id: z.string().nullable(),
});

/** The route of what a run has deferred. */
export function restDeferRoutes({ queries, now }: ApiContext): readonly DocumentedRoute[] {
  return [
    endpoint({
      method: "GET",
      pattern: "/v1/runs/:id/defers",
      tag: "v1 runs",
      access: "runs:read",
      summary: "Functions that a run has deferred: what starts at its end, or why not",
      data: z.array(deferSchema),
      handle: async ({ params: { id = "" } }) => {
        const defers = await defersOfRun(queries, id);
        if (defers === null) return runNotFound(id);
        return envelope(now(), toJsonText(defers.map(deferJson)));
      },
    }),
  ];
}

function deferJson({ defer, run }: ShownDefer) {
  return {
    id: defer.userId ?? defer.id,
    hashed_id: defer.id,
    function: defer.functionSlug,
    status: defer.status,
    reason: defer.reason,
    added_at: timeOrNull(defer.addedAt),
    event_id: defer.eventId,
    run_id: run?.run.id ?? null,
  };
}
