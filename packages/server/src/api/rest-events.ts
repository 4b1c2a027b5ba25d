// `GET /v1/events`, `/v1/events/{id}` and `/v1/events/{id}/runs` (protocol.md 8.2).
import { z } from "zod";
import { jsonNull, toJsonText } from "@pawl/protocol/json-text";
import type { EventRecord } from "@pawl/engine/records";
import { httpProblem, problemResponse } from "../http/problem.ts";
import { eventSchema, oneRunSchema } from "./answer-schemas.ts";
import type { ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope, isoTime, spliced } from "./envelope.ts";
import { runJson } from "./rest-runs.ts";
import { cursorSchema, limitSchema, searchSchema, timeSchema } from "./schemas.ts";
import { accountId, environmentId } from "./wire-ids.ts";

const tag = "v1 events";
const listWindowMs = 3_600_000;
const runsPerEventMax = 100;

const listQuery = z.object({
  name: z
    .string()
    .optional()
    .transform((name) => name ?? null)
    .meta({ type: "string" }),
  limit: limitSchema(20, 100),
  cursor: cursorSchema,
  received_after: timeSchema,
  received_before: timeSchema,
  query: searchSchema,
});

/** The routes that show events. */
export function restEventRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { queries, now } = context;
  const shared = { method: "GET", tag, access: "events:read" } as const;
  return [
    endpoint({
      ...shared,
      pattern: "/v1/events",
      summary: "Events, newest first; of the last hour unless `received_after` says otherwise",
      query: listQuery,
      data: z.array(eventSchema),
      handle: async ({ query }) => {
        const page = {
          name: query.name,
          receivedFrom: query.received_after ?? now() - listWindowMs,
          receivedUntil: query.received_before,
          cursor: query.cursor,
          limit: query.limit,
        };
        if (query.query === null) {
          const events = await queries.events(page);
          return envelope(now(), `[${events.map(eventJson).join(",")}]`);
        }
        const { found, scanned, cursor } = await queries.searchEvents(page, query.query);
        const search = { scanned, has_more: cursor !== null, cursor };
        return envelope(now(), `[${found.map(eventJson).join(",")}]`, { search });
      },
    }),
    endpoint({
      ...shared,
      pattern: "/v1/events/:id",
      summary: "One event, by the id that the server gave it",
      data: eventSchema,
      handle: async ({ params: { id = "" } }) => {
        const event = await queries.event(id);
        if (event !== null) return envelope(now(), eventJson(event));
        const message = `There is no event ${id}.`;
        return problemResponse(httpProblem(404, "event_not_found", message));
      },
    }),
    endpoint({
      ...shared,
      pattern: "/v1/events/:id/runs",
      access: "runs:read",
      summary: "Runs that an event started, newest first",
      data: z.array(oneRunSchema),
      handle: async ({ params: { id = "" } }) => {
        const runs = await queries.runsOfEvent(id, runsPerEventMax);
        const texts = await Promise.all(runs.map(({ run }) => runJson(queries, run)));
        return envelope(now(), `[${texts.join(",")}]`);
      },
    }),
  ];
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
