// Judges deferred functions: each that is scheduled when its run ends starts exactly one run, and no
// other ever does; what a completed run has deferred is what its program defers.
import { deferredEventName } from "@pawl/protocol/event-wire";
import type { DeferRecord } from "@pawl/engine/defer-records";
import type { EventRecord, RunRecord } from "@pawl/engine/records";
import { stepHash } from "../app/program.ts";
import type { GatheringJudge } from "./gathering.ts";
import type { Mirror, RunMirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

interface Sent {
  readonly runId: string;
  readonly defer: DeferRecord;
  /** Its function was not registered when the event was stored. */
  isVain: boolean;
  readonly startedRuns: string[];
}

interface Internal {
  readonly parent_run_id: string;
  readonly defer_id: string;
}

export class DeferJudge {
  readonly #mirror: Mirror;
  readonly #gathering: GatheringJudge;
  readonly #accuse: Accuse;
  /** By run, then by hashed id. */
  readonly #defers = new Map<string, Map<string, DeferRecord>>();
  /** By event. */
  readonly #sent = new Map<string, Sent>();

  constructor(mirror: Mirror, gathering: GatheringJudge, accuse: Accuse) {
    this.#mirror = mirror;
    this.#gathering = gathering;
    this.#accuse = accuse;
  }

  /** A deferral is about to be written. */
  noted(runId: string, defer: DeferRecord): void {
    const name = nameOf(runId, defer.id);
    const ofRun = this.#defers.get(runId) ?? new Map<string, DeferRecord>();
    const before = ofRun.get(defer.id);
    const plan = this.#mirror.runs
      .get(runId)
      ?.program.defers?.find(({ id }) => stepHash(id) === defer.id);
    if (plan === undefined || plan.slug !== defer.functionSlug)
      this.#accuse("defer-broken", `${name} is in no program`);
    if (before !== undefined && (before.status !== "scheduled" || !isLater(defer)))
      this.#accuse("defer-broken", `${name} was ${before.status} and became ${defer.status}`);
    if (defer.status === "rejected")
      this.#accuse("defer-broken", `${name} was rejected: ${defer.reason ?? ""}`);
    this.#defers.set(runId, ofRun.set(defer.id, defer));
    if (defer.status !== "sent") return;
    if (defer.eventId === null) this.#accuse("defer-broken", `${name} was sent as no event`);
    const sent = { runId, defer, isVain: false, startedRuns: [] };
    this.#sent.set(defer.eventId ?? "", sent);
  }

  /** An event was stored. */
  stored(event: EventRecord): void {
    if (event.name !== deferredEventName) return;
    const sent = this.#sent.get(event.id);
    // proof: what the server writes; anything else is accused by its parts
    const { _inngest: from } = JSON.parse(event.data) as { readonly _inngest: Internal };
    if (sent?.runId !== from.parent_run_id || sent.defer.id !== from.defer_id)
      return this.#accuse("defer-broken", `event ${event.id} was sent for nothing deferred`);
    const functionId = `function-${sent.defer.functionSlug}`;
    sent.isVain = this.#mirror.deployments.get(functionId) === undefined;
  }

  /** A run is about to be written. */
  written({ id, eventIds, originalRunId }: RunRecord): void {
    if (originalRunId !== null) return;
    for (const eventId of eventIds) {
      const runs = this.#sent.get(eventId)?.startedRuns;
      if (runs !== undefined && !runs.includes(id)) runs.push(id);
    }
  }

  /** A run has ended in this commit. */
  ended(run: RunMirror): void {
    const ofRun = this.#defers.get(run.run.id) ?? new Map<string, DeferRecord>();
    for (const { id, status } of ofRun.values())
      if (status === "scheduled")
        this.#accuse("defer-broken", `${nameOf(run.run.id, id)} was not sent at the end`);
    if (run.run.status !== "completed") return;
    for (const { id, abortFrom } of run.program.defers ?? []) {
      const hash = stepHash(id);
      const isSent = ofRun.get(hash)?.status === "sent";
      if (isSent === (abortFrom === null || run.steps.size < abortFrom)) continue;
      const name = nameOf(run.run.id, hash);
      this.#accuse("defer-broken", `${name} was ${isSent ? "sent although aborted" : "lost"}`);
    }
  }

  /** Everything has come to rest. */
  finish(): void {
    for (const [eventId, { runId, defer, isVain, startedRuns }] of this.#sent) {
      const name = nameOf(runId, defer.id);
      if (startedRuns.length > 1)
        this.#accuse("defer-broken", `${name} started ${startedRuns.join()}`);
      if (startedRuns.length > 0 || isVain) continue;
      const functionId = `function-${defer.functionSlug}`;
      // A second start with its key is none.
      if (this.#mirror.deployments.everHas(functionId, ({ once }) => once === true)) continue;
      const event = this.#mirror.everStored.get(eventId)?.record;
      if (event !== undefined && this.#gathering.wasPassedOver(functionId, event)) continue;
      this.#accuse("defer-broken", `${name}, sent as event ${eventId}, started nothing`);
    }
  }
}

function isLater({ status }: DeferRecord): boolean {
  return status === "aborted" || status === "sent";
}

function nameOf(runId: string, deferId: string): string {
  return `deferral ${deferId} of run ${runId}`;
}
