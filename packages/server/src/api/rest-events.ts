// `GET /v1/events`, `/v1/events/{id}` and `/v1/events/{id}/runs` (protocol.md 8.2).
import { jsonNull, toJsonText } from "@pawl/protocol/json-text";
import type { EventRecord } from "@pawl/engine/records";
import type { RouteRequest } from "../http/message.ts";
import type { HttpResponse } from "../http/response.ts";
import { httpProblem, problemResponse } from "../http/problem.ts";
import type { Route } from "../http/router.ts";
import type { ApiContext } from "./context.ts";
import { envelope, isoTime, spliced } from "./envelope.ts";
import { integerParameter, timeParameter } from "./parameters.ts";
import { runJson } from "./rest-runs.ts";
import { accountId, environmentId } from "./wire-ids.ts";

const read = {
  method: "GET",
  access: "api",
  bodyBytesMax: 0,
  anyOrigin: false,
  startsWork: false,
} as const;

const listWindowMs = 3_600_000;
const runsPerEventMax = 100;

/** The routes that show events. */
export function restEventRoutes(context: ApiContext): readonly Route[] {
  return [
    { ...read, pattern: "/v1/events", handle: (request) => listEvents(context, request) },
    {
      ...read,
      pattern: "/v1/events/:id",
      handle: (request) => oneEvent(context, request.params["id"] ?? ""),
    },
    {
      ...read,
      pattern: "/v1/events/:id/runs",
      handle: (request) => runsOfEvent(context, request.params["id"] ?? ""),
    },
  ];
}

async function listEvents(context: ApiContext, { query }: RouteRequest): Promise<HttpResponse> {
  const now = context.now();
  const events = await context.backend.store.list<"events">({
    type: "events",
    name: emptyToNull(query.get("name")),
    receivedFrom: timeParameter(query, "received_after") ?? now - listWindowMs,
    receivedUntil: timeParameter(query, "received_before"),
    before: emptyToNull(query.get("cursor")),
    limit: integerParameter(query, "limit", 20, 1, 100),
  });
  return envelope(now, `[${events.map(eventJson).join(",")}]`);
}

async function oneEvent(context: ApiContext, eventId: string): Promise<HttpResponse> {
  const event = await context.backend.store.list<"event">({ type: "event", eventId });
  if (event === null)
    return problemResponse(httpProblem(404, "event_not_found", `There is no event ${eventId}.`));
  return envelope(context.now(), eventJson(event));
}

async function runsOfEvent(context: ApiContext, eventId: string): Promise<HttpResponse> {
  const runs = await context.backend.store.list<"runsOfEvent">({
    type: "runsOfEvent",
    eventId,
    limit: runsPerEventMax,
  });
  const texts = await Promise.all(runs.map((run) => runJson(context.backend.store, run)));
  return envelope(context.now(), `[${texts.join(",")}]`);
}

function eventJson(event: EventRecord): string {
  const plain = {
    internal_id: event.id,
    accountID: accountId,
    environmentID: environmentId,
    source: "",
    sourceID: null,
    receivedAt: isoTime(event.receivedAt),
    id: event.externalId ?? event.id,
    name: event.name,
    ts: event.ts,
    v: event.version,
  };
  return spliced(plain, {
    data: event.data,
    user: event.user ?? toJsonText({}),
    meta: event.meta ?? jsonNull,
  });
}

function emptyToNull(text: string | null): string | null {
  return text === "" ? null : text;
}
