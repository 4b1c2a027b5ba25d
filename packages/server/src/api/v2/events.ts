// Sending one event through the REST API v2 (protocol.md 8.3).
import { z } from "zod";
import { toJsonText } from "@pawl/protocol/json-text";
import type { HttpResponse } from "../../http/response.ts";
import type { Route } from "../../http/router.ts";
import { acceptEvent } from "../accept.ts";
import { refusalProblem, type ApiContext } from "../context.ts";
import { answer, noQuery, refuse, v2Endpoint } from "./wire.ts";

const sentEvent = z.strictObject({
  name: z.string().min(1),
  data: z.record(z.string(), z.unknown()).optional(),
  user: z.record(z.string(), z.unknown()).optional(),
  id: z.string().optional(),
  ts: z.int().optional(),
});

/** `POST /events`. */
export function v2EventRoutes(context: ApiContext): readonly Route[] {
  return v2Endpoint({
    method: "POST",
    access: "events:write",
    tag: "v2 events",
    pattern: "/events",
    summary: "Send an event",
    query: noQuery,
    body: sentEvent,
    bodyBytesMax: context.limits.bodyBytesMax,
    data: z.object({ eventId: z.string() }),
    startsWork: true,
    handle: ({ request }) => send(context, request.body),
  });
}

async function send(context: ApiContext, body: string): Promise<HttpResponse> {
  const reply = await acceptEvent(context, body);
  if (!reply.ok) return refuse(refusalProblem(reply));
  const eventId = reply.value.type === "accepted" ? (reply.value.eventIds[0] ?? null) : null;
  return answer(context.now(), toJsonText({ eventId }));
}
