// Answers needs from memory. It must not know why something is needed.
import type { Found, Need, StoredRun } from "@pawl/engine/needs";
import type { EventRecord, WaitRecord } from "@pawl/engine/records";
import { userSpanBytes, type UserSpan, type UserSpanTally } from "@pawl/engine/user-spans";
import type { Arrival } from "../position.ts";
import { keyText } from "./memory-data.ts";
import { expiredOf, firstOf } from "../retained.ts";
import type { MemoryData } from "./memory-data.ts";
import { beyondInMemory, firstRetired } from "./retained.ts";
import { take, takeWhile } from "./take.ts";

/** The answer to one need. */
export function answerNeed(data: MemoryData, need: Need): Found {
  switch (need.kind) {
    case "run":
      return { need, run: storedRun(data, need.runId) };
    case "metadata":
      return { need, metadata: [...(data.runs.get(need.runId)?.metadata.values() ?? [])] };
    case "event":
      return { need, exists: data.events.has(need.eventId) };
    case "mail":
      return { need, lies: data.mail.has(need.mailId) };
    case "idempotency": {
      const held = data.idempotency.get(need.key);
      return { need, runId: held?.runId ?? null, expiresAt: held?.expiresAt ?? 0 };
    }
    case "waits":
      return { need, waits: waitsUnder(data, need) };
    case "pastEvents":
      return { need, events: pastEvents(data, need) };
    case "expired":
      return { need, ...expired(data, need) };
    case "gate":
      return { need, gate: data.gates.get(need.key) ?? null };
    case "schedule":
      return { need, schedule: data.schedules.get(need.scheduleId) ?? null };
    case "bulk":
      return { need, bulk: data.bulks.get(need.bulkId) ?? null };
    case "userSpans":
      return { need, tally: tallyOf(data, need.runId) };
    case "expiredRates": {
      const over = takeWhile(data.ratesByEnd.ascending(null), (rate) => rate.tat <= need.at);
      return { need, keys: take(over, need.limit).map((rate) => rate.key) };
    }
    case "expiredKeys": {
      const over = takeWhile(data.keysByEnd.ascending(null), (held) => held.expiresAt <= need.at);
      return { need, keys: take(over, need.limit).map((held) => held.key) };
    }
  }
}

function storedRun(data: MemoryData, runId: string): StoredRun | null {
  const entry = data.runs.get(runId);
  if (entry === undefined || entry.run === null) return null;
  return {
    run: entry.run,
    jobs: [...entry.jobs.values()],
    steps: [...entry.steps.values()].sort((a, b) => a.seq - b.seq),
    defers: [...entry.defers.values()].sort((a, b) => a.seq - b.seq),
    events: eventsOf(data, entry.run.eventIds),
  };
}

function tallyOf(data: MemoryData, runId: string): UserSpanTally {
  const spans = data.runs.get(runId)?.userSpans ?? new Map<string, UserSpan>();
  let bytes = 0;
  for (const span of spans.values()) bytes += userSpanBytes(span);
  return { ids: new Set(spans.keys()), bytes };
}

function eventsOf(data: MemoryData, eventIds: readonly string[]): EventRecord[] {
  return eventIds.flatMap((id) => data.events.get(id)?.event ?? []);
}

function waitsUnder(
  data: MemoryData,
  need: Extract<Need, { kind: "waits" }>,
): readonly WaitRecord[] {
  const set = data.waitsByKey.get(keyText(need.event, need.key));
  if (set === undefined) return [];
  const { after } = need;
  // Only the position of the start is compared; the rest of the record does not matter.
  const from = after === null ? null : { ...emptyWait, ...after };
  return take(
    set.ascending(from),
    need.limit,
    (wait) => after === null || wait.runId !== after.runId || wait.jobId !== after.jobId,
  );
}

const emptyWait = { event: "", key: null, expression: null, expiresAt: 0 } as unknown as WaitRecord; // proof: compared by position only

function pastEvents(
  data: MemoryData,
  need: Extract<Need, { kind: "pastEvents" }>,
): readonly EventRecord[] {
  const set =
    need.key === null
      ? data.eventsByName.get(need.event)
      : data.eventsByKey.get(keyText(need.event, need.key));
  if (set === undefined) return [];
  const inTime = takeWhile(
    set.ascending({ receivedAt: need.from, id: "" }),
    (arrival) => arrival.receivedAt <= need.to,
  );
  return eventsOf(data, take(inTime, need.limit).map(idOf));
}

function expired(
  data: MemoryData,
  { bounds, limit, limitBytes }: Extract<Need, { kind: "expired" }>,
): ReturnType<typeof expiredOf> {
  const step = { records: limit, bytes: limitBytes };
  const found = bounds.map((bound) => ({
    of: bound.of,
    ...firstOf(beyondInMemory(data, bound), step),
  }));
  return expiredOf(found, firstRetired(data));
}

function idOf(arrival: Arrival): string {
  return arrival.id;
}
