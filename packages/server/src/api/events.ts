// `POST /e/{key}`: events come in (protocol.md 4). What is in front of the first bad event of a
// request is accepted, the rest is not, and the answer says so.
import { eventIdsFromSeed } from "@pawl/protocol/ulid";
import { readEvents, type IncomingEvent } from "@pawl/protocol/event-wire";
import { headerEventIdSeed } from "@pawl/protocol/headers";
import type { RouteRequest } from "../http/message.ts";
import { jsonResponse, valueResponse, type HttpResponse } from "../http/response.ts";
import { problemResponse } from "../http/problem.ts";
import type { Route } from "../http/router.ts";
import { eventLimits } from "./accept.ts";
import { explainFailure, refusalResponse, type ApiContext } from "./context.ts";

/** Ingestion; also without a key, which production servers refuse by its name. */
export function eventRoutes(context: ApiContext): readonly Route[] {
  return ["/e/:key", "/e/", "/e"].map((pattern) => ({
    method: "POST",
    pattern,
    access: "event",
    bodyBytesMax: context.limits.bodyBytesMax,
    anyOrigin: true,
    startsWork: true,
    handle: (request) => receive(context, request),
  }));
}

async function receive(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const now = context.now();
  const seeded = seededIds(request.header(headerEventIdSeed));
  const { events, failure } = readEvents(request.body, {
    now,
    limits: eventLimits(context),
    nextId: seeded ?? (() => context.ids.next(now)),
  });
  let ids: readonly string[] = [];
  if (events.length > 0) {
    const reply = await context.backend.submit({
      type: "events.received",
      events: stamped(events, context.arrival(now)),
      resendable: seeded !== null,
    });
    if (!reply.ok) return refusalResponse(reply, { ids });
    ids = reply.value.type === "accepted" ? reply.value.eventIds : [];
  }
  const problem = failure === null ? null : explainFailure(failure);
  if (problem !== null) return problemResponse({ ...problem, status: 400 }, { ids });
  // The hot path writes its answer by hand: ULIDs need no escaping.
  if (ids.length === 1) return jsonResponse(200, `{"ids":["${ids[0] ?? ""}"],"status":200}`);
  return valueResponse(200, { ids, status: 200 });
}

/** Events are read as arriving now; after the clock was set back they arrive no earlier than others. */
function stamped(events: readonly IncomingEvent[], receivedAt: number): readonly IncomingEvent[] {
  if (events[0]?.receivedAt === receivedAt) return events;
  return events.map((event) => ({ ...event, receivedAt }));
}

/** Ids that follow from the sender's seed, made as they are needed; null without a usable seed. */
function seededIds(seed: string | null): ((index: number) => string) | null {
  if (seed === null) return null;
  let ids = eventIdsFromSeed(seed, 1);
  if (ids === null) return null;
  return (index) => {
    if (ids === null || ids.length <= index) ids = eventIdsFromSeed(seed, (index + 1) * 2);
    const id = ids?.[index];
    if (id === undefined) throw new Error("a seed that was usable no longer is");
    return id;
  };
}
