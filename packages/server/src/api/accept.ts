// How every API takes in one event, or starts one function: read from text, stamped, submitted. It
// must not know how an API writes the reply.
import type { Reply } from "@pawl/engine/decision";
import { readEvents, readInvocation, type EventLimits } from "@pawl/protocol/event-wire";
import type { ApiContext } from "./context.ts";

const nameCharsMax = 256;

/** The limits of one request's events, as the protocol package takes them. */
export function eventLimits(context: ApiContext): EventLimits {
  const { eventBytesMax, eventsPerRequestMax } = context.limits;
  return { eventBytesMax, eventsMax: eventsPerRequestMax, nameCharsMax };
}

/**
 * Takes in the one event of a JSON text. `id`: the sender's own, with which the same event may come
 * again; null: a fresh one. Rejects with a `ProtocolError` when the event cannot be used.
 */
export async function acceptEvent(
  context: ApiContext,
  text: string,
  id: string | null = null,
): Promise<Reply> {
  const now = context.now();
  const { events, failure } = readEvents(text, {
    now,
    limits: eventLimits(context),
    nextId: () => id ?? context.ids.next(now),
  });
  if (failure !== null) throw failure;
  const receivedAt = context.arrival(now);
  return context.backend.submit({
    type: "events.received",
    events: events.map((event) => ({ ...event, receivedAt })),
    resendable: id !== null,
  });
}

/**
 * Starts a function with an invocation, `{data?, user?, …}` as JSON text; with a `key` once for 24 h.
 * Rejects with a `ProtocolError` when the text cannot be used.
 */
export async function startFunction(
  context: ApiContext,
  functionSlug: string,
  text: string,
  key: string | null = null,
): Promise<Reply> {
  const now = context.now();
  const event = readInvocation(text, {
    now,
    limits: eventLimits(context),
    id: context.ids.next(now),
  });
  return context.backend.submit({
    type: "run.invoked",
    functionSlug,
    newRunId: null,
    event: { ...event, externalId: key ?? event.externalId, receivedAt: context.arrival(now) },
    parent: null,
    once: key !== null,
  });
}
