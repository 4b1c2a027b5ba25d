// Everything the engine decides from, in memory: what was loaded, and what was decided since.
// It is a cache with writes in it: a shell loads what a command needs, applies each decision at
// once, and tells which batches the store has, so that what is clean can leave. It must not know
// stores, clocks or promises.
import type { Change } from "../changes.ts";
import { needId, type Found, type Need } from "../needs.ts";
import type {
  AppRecord,
  EventRecord,
  FunctionRecord,
  GateRecord,
  WaitKey,
  WaitPathRecord,
  WaitPosition,
} from "../records.ts";
import type { BulkRecord } from "../bulk-records.ts";
import type { ScheduleRecord } from "../schedule-records.ts";
import type { Settings } from "../settings.ts";
import type { OwnedShards } from "../shard.ts";
import { userSpanBytes, type UserSpan, type UserSpanTally } from "../user-spans.ts";
import { Catalog } from "./catalog.ts";
import { HotRuns, type HotRun } from "./hot-runs.ts";
import { HotWaits } from "./hot-waits.ts";
import { Overlay } from "./overlay.ts";
import type { GateView, LongestWait, StateView, Triggered } from "./view.ts";

interface RecentEvent {
  readonly event: EventRecord;
  readonly keys: readonly WaitKey[];
}

interface HeldKey {
  readonly runId: string;
  readonly expiresAt: number;
}

type PastEvents = Extract<Need, { kind: "pastEvents" }>;
type Expired = Extract<Found, { runIds: readonly string[] }>;

/** What a shell reads from the store before the first command. */
export interface Boot {
  readonly apps: readonly AppRecord[];
  readonly waitPaths: readonly WaitPathRecord[];
  readonly queues: readonly { readonly gate: string; readonly queued: number }[];
  /** How many schedules were made at runtime. */
  readonly runtimeSchedules: number;
}

export class HotState implements StateView {
  readonly settings: Settings;
  readonly owned: OwnedShards;
  readonly #catalog = new Catalog();
  readonly #runs: HotRuns;
  readonly #waits = new HotWaits();
  readonly #waitPaths = new Map<string, Map<string, WaitPathRecord>>();
  readonly #events = new Overlay<RecentEvent>();
  readonly #keys = new Overlay<HeldKey>();
  readonly #gateRecords = new Overlay<GateRecord>();
  readonly #schedules = new Overlay<ScheduleRecord>();
  /** Messages by whether they are in their mailbox. */
  readonly #mail = new Overlay<true>();
  #runtimeSchedules = 0;
  readonly #bulks = new Overlay<BulkRecord>();
  /** By run. */
  readonly #userSpans = new Overlay<UserSpanTally>();
  /** Queries answered since the batch began, by `needId`. */
  readonly #answered = new Map<string, Found>();
  #batch = 1;

  /** `owned`: the shards of this process; null: all. */
  constructor(settings: Settings, owned: OwnedShards = null) {
    this.settings = settings;
    this.owned = owned;
    this.#runs = new HotRuns(settings.epoch);
  }

  boot(boot: Boot): void {
    for (const app of boot.apps) this.#catalog.put(app);
    for (const waitPath of boot.waitPaths) this.#addWaitPath(waitPath);
    for (const { gate, queued } of boot.queues) this.#runs.addQueued(gate, queued);
    this.#runtimeSchedules = boot.runtimeSchedules;
  }

  /**
   * Begins a batch: changes applied from now on belong to it. What only batches up to
   * `committedBatch` touched may leave memory, now and at no other time.
   */
  begin(batch: number, committedBatch: number): void {
    this.#batch = batch;
    this.#answered.clear();
    this.#runs.evict(committedBatch);
    this.#waits.evict(committedBatch);
    this.#events.evict(committedBatch);
    this.#keys.evict(committedBatch);
    this.#gateRecords.evict(committedBatch);
    this.#schedules.evict(committedBatch);
    this.#mail.evict(committedBatch);
    this.#bulks.evict(committedBatch);
    this.#userSpans.evict(committedBatch);
  }

  /** Whether the answer to a need is in memory. */
  has(need: Need): boolean {
    switch (need.kind) {
      case "run":
        return this.#runs.known(need.runId);
      case "metadata":
        return this.#runs.knowsMetadata(need.runId);
      case "event":
        return this.#events.has(need.eventId) || this.#answered.has(needId(need));
      case "idempotency":
        return this.#keys.has(need.key);
      case "gate":
        return this.#gateRecords.has(need.key);
      case "schedule":
        return this.#schedules.has(need.scheduleId);
      case "mail":
        return this.#mail.has(need.mailId);
      case "bulk":
        return this.#bulks.has(need.bulkId);
      case "userSpans":
        return this.#userSpans.has(need.runId);
      default:
        return this.#answered.has(needId(need));
    }
  }

  absorb(answers: readonly Found[]): void {
    for (const found of answers) {
      if ("run" in found) this.#runs.absorb(found.need.runId, found.run);
      else if ("metadata" in found) this.#runs.absorbMetadata(found.need.runId, found.metadata);
      else if ("gate" in found) this.#gateRecords.absorb(found.need.key, found.gate);
      else if ("schedule" in found) this.#schedules.absorb(found.need.scheduleId, found.schedule);
      else if ("lies" in found) this.#mail.absorb(found.need.mailId, found.lies ? true : null);
      else if ("bulk" in found) this.#bulks.absorb(found.need.bulkId, found.bulk);
      else if ("tally" in found) this.#userSpans.absorb(found.need.runId, found.tally);
      else if ("expiresAt" in found) {
        const { runId, expiresAt } = found;
        this.#keys.absorb(found.need.key, runId === null ? null : { runId, expiresAt });
      } else {
        if ("waits" in found) this.#waits.absorb(found.waits);
        this.#answered.set(needId(found.need), found);
      }
    }
  }

  apply(change: Change): void {
    const batch = this.#batch;
    switch (change.type) {
      case "app.put":
        return this.#catalog.put(change.app);
      case "app.delete":
        return this.#catalog.delete(change.appId);
      case "event.put":
        return this.#events.put(change.event.id, change, batch);
      case "event.delete":
        return this.#events.put(change.eventId, null, batch);
      case "run.put":
        return this.#runs.putRun(change.run, batch, (id) => this.#recent(id));
      case "run.delete":
      case "run.retire":
        this.#userSpans.put(change.runId, noSpans, batch);
        return this.#runs.delete(change.runId, batch);
      case "userSpans.put":
        return this.#addSpans(change.runId, change.spans, batch);
      case "step.put":
        return this.#runs.putStep(change.runId, change.step, batch);
      case "metadata.put":
        return this.#runs.putMetadata(change.metadata, batch);
      case "metadata.delete":
        return this.#runs.deleteMetadata(change.runId, change.place, batch);
      case "defer.put":
        return this.#runs.putDefer(change.runId, change.defer, batch);
      case "job.put":
        return this.#runs.putJob(change.job, batch);
      case "job.delete":
        return this.#runs.deleteJob(change.runId, change.jobId, batch);
      case "wait.put":
        return this.#waits.put(change.wait, batch);
      case "wait.delete":
        return this.#waits.delete(change, batch);
      case "waitPath.put":
        return this.#addWaitPath(change.waitPath);
      case "idempotency.put":
        return this.#keys.put(change.key, change, batch);
      case "idempotency.delete":
        return this.#keys.put(change.key, null, batch);
      case "gate.put":
        return this.#gateRecords.put(change.gate.key, change.gate, batch);
      case "gate.delete":
        return this.#gateRecords.put(change.key, null, batch);
      case "schedule.put":
        return this.#putSchedule(change.schedule.id, change.schedule, batch);
      case "schedule.delete":
        return this.#putSchedule(change.scheduleId, null, batch);
      case "bulk.put":
        return this.#bulks.put(change.bulk.id, change.bulk, batch);
      case "bulk.delete":
        return this.#bulks.put(change.bulkId, null, batch);
      case "output.put":
      case "parts.delete":
      case "attempt.put":
        return; // nothing is decided from these
      case "mail.put":
        return this.#mail.put(change.mailId, true, batch);
      case "mail.delete":
        return this.#mail.put(change.mailId, null, batch);
    }
  }

  app(appId: string): AppRecord | undefined {
    return this.#catalog.app(appId);
  }

  apps(): Iterable<AppRecord> {
    return this.#catalog.apps();
  }

  functionById(id: string): FunctionRecord | undefined {
    return this.#catalog.functionById(id);
  }

  functionBySlug(slug: string): FunctionRecord | undefined {
    return this.#catalog.functionBySlug(slug);
  }

  triggeredBy(eventName: string): readonly Triggered[] {
    return this.#catalog.triggeredBy(eventName);
  }

  gate(key: string): GateView {
    return this.#runs.gate(key);
  }

  queues(gate: string): ReadonlyMap<string, number> {
    return this.#runs.queues(gate);
  }

  longestWait(gate: string): LongestWait | null {
    return this.#runs.longestWait(gate);
  }

  backlog(functionId: string): number {
    return this.#runs.backlog(functionId);
  }

  keepers(gate: string): ReadonlyMap<string, number> {
    return this.#runs.keepers(gate);
  }

  /** Ids of runs that have places at a gate, at most `limit`; for people. */
  holders(gate: string, limit: number): readonly string[] {
    return this.#runs.holders(gate, limit);
  }

  gateKeys(): Iterable<string> {
    return this.#runs.gateKeys();
  }

  gateRecord(key: string): GateRecord | undefined {
    if (!this.#gateRecords.has(key)) throw new Error(`gate record ${key} was not loaded`);
    return this.#gateRecords.get(key);
  }

  get runtimeSchedules(): number {
    return this.#runtimeSchedules;
  }

  schedule(scheduleId: string): ScheduleRecord | undefined {
    if (!this.#schedules.has(scheduleId)) throw new Error(`schedule ${scheduleId} was not loaded`);
    return this.#schedules.get(scheduleId);
  }

  bulk(bulkId: string): BulkRecord | undefined {
    if (!this.#bulks.has(bulkId)) throw new Error(`bulk action ${bulkId} was not loaded`);
    return this.#bulks.get(bulkId);
  }

  userSpans(runId: string): UserSpanTally {
    const tally = this.#userSpans.get(runId);
    if (tally === undefined) throw new Error(`the spans of run ${runId} were not loaded`);
    return tally;
  }

  waitPaths(event: string): ReadonlyMap<string, WaitPathRecord> {
    return this.#waitPaths.get(event) ?? noPaths;
  }

  run(runId: string): HotRun | undefined {
    return this.#runs.get(runId);
  }

  /** Runs in memory, for metrics. */
  get runCount(): number {
    return this.#runs.size;
  }

  eventExists(eventId: string): boolean {
    if (this.#events.has(eventId)) return this.#events.get(eventId) !== undefined;
    const found = this.#answer({ kind: "event", eventId });
    return "exists" in found && found.exists;
  }

  /** Whether a message still lies in its mailbox: it was not decided, here or elsewhere. */
  hasMail(mailId: string): boolean {
    if (!this.#mail.has(mailId)) throw new Error(`mail ${mailId} was not loaded`);
    return this.#mail.get(mailId) === true;
  }

  idempotency(key: string, at: number): string | undefined {
    if (!this.#keys.has(key)) throw new Error(`idempotency key ${key} was not loaded`);
    const held = this.#keys.get(key);
    return held !== undefined && held.expiresAt > at ? held.runId : undefined;
  }

  waits(event: string, key: WaitKey | null, after: WaitPosition | null, limit: number) {
    const found = this.#answer({ kind: "waits", event, key, after, limit });
    const page = "waits" in found ? found.waits : [];
    // Behind a full page there may be more, even when what is in it has ended meanwhile.
    const end = page.length < limit ? null : (page.at(-1) ?? null);
    return this.#waits.find(event, key, { after, end }, limit);
  }

  pastEvents(need: PastEvents): readonly EventRecord[] {
    const found = this.#answer(need);
    const stored = "events" in found ? found.events : [];
    const known = new Set(stored.map((event) => event.id));
    const recent: EventRecord[] = [];
    for (const { event, keys } of this.#events.values()) {
      if (event.name !== need.event || known.has(event.id)) continue;
      if (event.receivedAt < need.from || event.receivedAt > need.to) continue;
      if (need.key !== null && !keys.some((k) => sameKey(k, need.key))) continue;
      recent.push(event);
    }
    return recent.length === 0
      ? stored
      : [...stored, ...recent].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  expired(need: Extract<Need, { kind: "expired" }>): Expired {
    const found = this.#answer(need);
    // What was written since the store looked is in use again.
    if ("runIds" in found)
      return { ...found, eventIds: found.eventIds.filter((id) => !this.#events.has(id)) };
    throw new Error("the answer to an `expired` need has another shape");
  }

  expiredKeys(need: Extract<Need, { kind: "expiredKeys" | "expiredRates" }>): readonly string[] {
    const found = this.#answer(need);
    return "keys" in found ? found.keys : [];
  }

  #answer(need: Need): Found {
    const found = this.#answered.get(needId(need));
    if (found === undefined) throw new Error(`${needId(need)} was not loaded before the decision`);
    return found;
  }

  #recent(eventId: string): EventRecord {
    const recent = this.#events.get(eventId);
    if (recent === undefined) throw new Error(`event ${eventId} is not in memory for its new run`);
    return recent.event;
  }

  #putSchedule(id: string, schedule: ScheduleRecord | null, batch: number): void {
    const isRuntime = (schedule ?? this.#schedules.get(id))?.kind === "runtime";
    const there = Number(schedule !== null) - Number(this.#schedules.get(id) !== undefined);
    if (isRuntime) this.#runtimeSchedules += there;
    this.#schedules.put(id, schedule, batch);
  }

  #addSpans(runId: string, spans: readonly UserSpan[], batch: number): void {
    const { ids, bytes } = this.userSpans(runId);
    const all = new Set(ids);
    let sum = bytes;
    for (const span of spans) {
      all.add(span.id);
      sum += userSpanBytes(span);
    }
    this.#userSpans.put(runId, { ids: all, bytes: sum }, batch);
  }

  #addWaitPath(waitPath: WaitPathRecord): void {
    const paths = this.#waitPaths.get(waitPath.event) ?? new Map<string, WaitPathRecord>();
    paths.set(waitPath.path, waitPath);
    this.#waitPaths.set(waitPath.event, paths);
  }
}

const noSpans: UserSpanTally = { ids: new Set(), bytes: 0 };
const noPaths: ReadonlyMap<string, WaitPathRecord> = new Map();

function sameKey(a: WaitKey, b: WaitKey | null): boolean {
  return b !== null && a.path === b.path && a.hash === b.hash;
}
