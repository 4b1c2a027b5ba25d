// Judges starts: every accepted event starts each matching function exactly once per idempotency
// key, and every invoke step starts one run.
import { defaultSettings } from "@pawl/engine/settings";
import type { EventRecord, RunRecord } from "@pawl/engine/records";
import type { GatheringJudge } from "./gathering.ts";
import type { Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

export class StartJudge {
  readonly #mirror: Mirror;
  readonly #accuse: Accuse;
  /** Run ids by function and event. */
  readonly #byEvent = new Map<string, string>();
  /** Latest starts by function and sender's id. */
  readonly #byKey = new Map<string, number>();
  readonly #byParent = new Map<string, string>();
  readonly #accepted = new Set<string>();

  readonly #gathering: GatheringJudge;
  /** Functions that were registered when an event was stored, by its id. */
  readonly #registered = new Map<string, ReadonlySet<string>>();
  /** By function and key, of those that start once for each key. */
  readonly #onces = new Set<string>();

  constructor(mirror: Mirror, gathering: GatheringJudge, accuse: Accuse) {
    this.#mirror = mirror;
    this.#gathering = gathering;
    this.#accuse = accuse;
  }

  /** A run is written: it is there for the first time, or took more events. */
  written(run: RunRecord): void {
    const before = this.#mirror.runs.get(run.id)?.run;
    const known = new Set(before?.eventIds);
    // A repeat has the events of its original; `repeats.ts` looks at it.
    if (run.originalRunId !== null) return;
    for (const id of run.eventIds) if (!known.has(id)) this.#took(run, id);
    const size = this.#mirror.programs.get(run.functionId)?.flow?.batch ?? 1;
    if (run.eventIds.length > size)
      this.#accuse("flow-broken", `run ${run.id} has ${run.eventIds.length} events`);
    if (
      before !== undefined &&
      before.status !== "queued" &&
      before.eventIds.length < run.eventIds.length
    )
      this.#accuse("flow-broken", `run ${run.id} took events after it began`);
    const parents = run.parent === null ? run.coParents : [run.parent, ...run.coParents];
    for (const parent of parents)
      this.#once(this.#byParent, `${parent.runId}/${parent.jobId}`, run);
  }

  #took(run: RunRecord, eventId: string): void {
    const event = this.#mirror.everStored.get(eventId)?.record;
    if (event === undefined) {
      this.#accuse("run-started-twice", `run ${run.id} was started by an event that is not stored`);
      return;
    }
    this.#once(this.#byEvent, `${run.functionId}/${event.id}`, run);
    const value = this.#mirror.everStored.get(eventId)?.key;
    if (run.status !== "skipped") this.#onces.add(`${run.functionId}/${value}`);
    // Steps invoke with events of their own.
    if (event.externalId === null) return;
    const key = `${run.functionId}/${event.externalId}`;
    const before = this.#byKey.get(key);
    if (before !== undefined && isWithinIdempotency(event.receivedAt, before)) {
      this.#accuse("run-started-twice", `run ${run.id} was started by ${event.externalId} again`);
    }
    this.#byKey.set(key, event.receivedAt);
  }

  /** An event is stored: what is registered now has to start. */
  stored(event: EventRecord): void {
    const { programs, deployments } = this.#mirror;
    const registered = [...programs.keys()].filter((id) => deployments.get(id) !== undefined);
    this.#registered.set(event.id, new Set(registered));
  }

  /** The sender was told that these events are stored. */
  accepted(eventIds: readonly string[]): void {
    for (const id of eventIds) {
      this.#accepted.add(id);
      if (!this.#mirror.everStored.has(id))
        this.#accuse("acknowledged-lost", `event ${id} was accepted, but is not stored`);
    }
  }

  finish(): void {
    for (const id of this.#accepted) {
      const event = this.#mirror.everStored.get(id)?.record;
      if (event !== undefined) this.#checkStarts(event);
    }
  }

  #checkStarts(event: EventRecord): void {
    for (const [functionId, program] of this.#mirror.programs) {
      if (program.trigger !== event.name || this.#byEvent.has(`${functionId}/${event.id}`))
        continue;
      if (event.externalId !== null && this.#byKey.has(`${functionId}/${event.externalId}`))
        continue;
      if (this.#registered.get(event.id)?.has(functionId) === false) continue;
      const key = this.#mirror.everStored.get(event.id)?.key;
      if (program.flow?.once === true && this.#onces.has(`${functionId}/${key}`)) continue;
      if (this.#sentAs(event).some((one) => this.#gathering.wasPassedOver(functionId, one)))
        continue;
      this.#accuse(
        "run-not-started",
        `event ${event.id} (${event.name}) did not start ${program.slug}`,
      );
    }
  }

  /** The event, and others with the same id of their sender: one of them counts for all. */
  #sentAs(event: EventRecord): readonly EventRecord[] {
    if (event.externalId === null) return [event];
    return [...this.#mirror.everStored.values()]
      .map(({ record }) => record)
      .filter(({ externalId }) => externalId === event.externalId);
  }

  #once(starts: Map<string, string>, key: string, run: RunRecord): void {
    const before = starts.get(key);
    if (before !== undefined && before !== run.id)
      this.#accuse("run-started-twice", `${key} started run ${before} and run ${run.id}`);
    starts.set(key, run.id);
  }
}

function isWithinIdempotency(a: number, b: number): boolean {
  return Math.abs(a - b) < defaultSettings.idempotencyMs;
}
