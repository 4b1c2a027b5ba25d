// Judges waits: a wait and its event meet exactly once, and a wait that looks back sees what came.
// Only the order of commits counts, and the latest time the clock has ever shown: when a wait had
// surely not timed out, it must take the event.
import type { EventRecord, Job, StepRecord, WaitManyJob, WaitRecord } from "@pawl/engine/records";
import { branchId, jobOfBranch } from "@pawl/engine/waits/branch";
import type { Message } from "@pawl/engine/commands";
import { matchesKey, stepsOf, type StepNode } from "../app/program.ts";
import type { EventMirror, Mirror, RunMirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

type WaitNode = Extract<StepNode, { kind: "wait" }>;
type ManyNode = Extract<StepNode, { kind: "waitMany" }>;
/** What one entry of the index waits for: a step, or a branch of one. */
type Sought = Pick<WaitNode, "id" | "event" | "match" | "lookback">;

/** What is known about the system's clock. */
export interface WitnessClock {
  /** The latest time that it has ever shown, ms since the epoch. */
  latest(): number;
  wasSetBack(): boolean;
}

interface OpenWait {
  readonly record: WaitRecord;
  readonly node: Sought;
  /** Events that may end it. */
  readonly candidates: Set<string>;
  /** One of them, which came before any clock could have ended the wait. */
  certain: string | null;
}

export class WaitJudge {
  readonly #mirror: Mirror;
  readonly #accuse: Accuse;
  readonly #clock: WitnessClock;
  readonly #open = new Map<string, OpenWait>();
  /** Events whose way to the waits is not complete: stored in this commit, or put off, by mail. */
  readonly #onTheWay = new Map<string, string>();
  /** What is complete with this commit. */
  readonly #delivered = new Set<string>();
  /** Ended within this commit; whatever ended them follows. */
  readonly #closing = new Map<string, OpenWait>();

  constructor(mirror: Mirror, clock: WitnessClock, accuse: Accuse) {
    this.#mirror = mirror;
    this.#clock = clock;
    this.#accuse = accuse;
  }

  /** A message was put off: one that goes on with the waits of an event meets later waits, too. */
  putOff(mailId: string, message: Message): void {
    if (message.type === "waits.continued") this.#onTheWay.set(mailId, message.event.id);
  }

  taken(mailId: string): void {
    this.#delivered.add(mailId);
  }

  /** An event is stored. */
  arrived(event: EventMirror): void {
    this.#onTheWay.set(event.record.id, event.record.id);
    this.#delivered.add(event.record.id);
    for (const wait of this.#open.values()) {
      const run = this.#mirror.runs.get(wait.record.runId);
      if (run === undefined || !satisfies(wait.node, run, event)) continue;
      wait.candidates.add(event.record.id);
      if (this.#clock.latest() < wait.record.expiresAt) wait.certain ??= event.record.id;
    }
  }

  /** A wait is registered; its job has been written before. */
  registered(record: WaitRecord): void {
    const run = this.#mirror.runs.get(record.runId);
    const node = run === undefined ? null : soughtBy(run, record.jobId);
    const job = run?.jobs.get(jobOfBranch(record.jobId) ?? record.jobId);
    if (run === undefined || node === null || job === undefined) {
      this.#accuse(
        "wake-up",
        `wait ${record.jobId} of run ${record.runId} belongs to no step that waits`,
      );
      return;
    }
    this.#open.set(nameOf(record), {
      record,
      node,
      candidates: this.#candidatesOnTheWay(node, run),
      certain: null,
    });
    // Look-back is about times as they were stamped: after the clock was set back, one may be ahead.
    if (this.#clock.wasSetBack()) return;
    for (const event of this.#mirror.events.values()) {
      if (this.#isWithinLookback(node, run, event, job.queuedAt)) {
        this.#accuse(
          "lookback-missed",
          `wait ${node.id} of run ${record.runId} was registered although event ${event.record.id} had come`,
        );
      }
    }
  }

  removed(runId: string, jobId: string): void {
    const name = nameOf({ runId, jobId });
    const wait = this.#open.get(name);
    if (wait === undefined) return;
    this.#open.delete(name);
    this.#closing.set(name, wait);
  }

  /** A step that waits is recorded. */
  concluded(run: RunMirror, node: WaitNode, step: StepRecord): void {
    const wait = this.#closing.get(nameOf({ runId: run.run.id, jobId: step.id }));
    const where = `wait ${node.id} of run ${run.run.id}`;
    if (step.memo === "null") {
      if (wait === undefined) this.#accuse("wait-missed", `${where} ended before it began`);
      else if (wait.certain !== null)
        this.#accuse("wait-missed", `${where} timed out, but event ${wait.certain} had come`);
      else if (this.#clock.latest() < wait.record.expiresAt)
        this.#accuse("wait-missed", `${where} timed out early`);
      return;
    }
    const id = idOf(step.memo);
    const event = [...this.#mirror.everStored.values()].filter(
      ({ record }) => shownId(record) === id,
    );
    const fits = event.some((one) =>
      wait === undefined
        ? this.#isWithinLookback(node, run, one, step.endedAt)
        : wait.candidates.has(one.record.id),
    );
    if (!fits) this.#accuse("memo-unexplained", `${where} got event ${id}, which is not for it`);
  }

  /** The job of a step that waits for several events is about to be written. */
  opened(job: WaitManyJob): void {
    const run = this.#mirror.runs.get(job.runId);
    if (run === undefined) return;
    const before = run.jobs.get(job.id);
    for (const [place, { received, name }] of job.branches.entries()) {
      const known = before?.kind === "waitMany" ? before.branches[place]?.received : null;
      if (received === (known ?? null)) continue;
      if (known !== null || received === null || job.mode === "any")
        this.#accuse("branch-wrong", `branch ${name} of run ${job.runId} has ${String(received)}`);
      else this.#fits(run, job.id, place, received, before === undefined ? job.queuedAt : null);
    }
  }

  /** A step that waits for several events is recorded. */
  concludedMany(run: RunMirror, node: ManyNode, step: StepRecord): void {
    const where = `step ${node.id} of run ${run.run.id}`;
    const job = run.jobs.get(step.id);
    const pending = node.branches.flatMap(
      (_, place) => this.#closing.get(nameOfBranch(run, step.id, place)) ?? [],
    );
    if (step.memo === "null") {
      if (pending.length === 0) this.#accuse("wait-missed", `${where} ended before it began`);
      const certain = pending.filter((wait) => wait.certain !== null);
      if (certain.length > (node.mode === "any" ? 0 : pending.length - 1))
        this.#accuse("wait-missed", `${where} timed out, but what it waits for had come`);
      else if (pending.some(({ record }) => this.#clock.latest() < record.expiresAt))
        this.#accuse("wait-missed", `${where} timed out early`);
      return;
    }
    const got = eventsOf(step.memo, node.mode);
    const names = node.mode === "any" ? [...got.keys()] : node.branches.map(({ name }) => name);
    if (got.size !== (node.mode === "any" ? 1 : names.length))
      this.#accuse("branch-wrong", `${where} became ${step.memo}`);
    for (const name of names) {
      const place = node.branches.findIndex((branch) => branch.name === name);
      const event = got.get(name);
      const kept = job?.kind === "waitMany" ? job.branches[place]?.received : null;
      if (place < 0 || event === undefined || (typeof kept === "string" && kept !== event))
        this.#accuse("branch-wrong", `${where} became ${step.memo}`);
      else if (typeof kept !== "string")
        this.#fits(run, step.id, place, event, job === undefined ? step.endedAt : null);
    }
  }

  /** A branch has got an event: one that came while it waited, or (`lookedAt`) one that had come. */
  #fits(
    run: RunMirror,
    stepId: string,
    place: number,
    event: string,
    lookedAt: number | null,
  ): void {
    const id = idOf(event);
    const sought = soughtBy(run, branchId(stepId, place));
    const events = [...this.#mirror.everStored.values()].filter(
      ({ record }) => shownId(record) === id,
    );
    const wait = this.#closing.get(nameOfBranch(run, stepId, place));
    const fits = events.some((one) =>
      lookedAt === null
        ? wait?.candidates.has(one.record.id)
        : sought !== null && this.#isWithinLookback(sought, run, one, lookedAt),
    );
    if (!fits)
      this.#accuse(
        "branch-wrong",
        `branch ${place} of step ${stepId}, run ${run.run.id}: ${event}`,
      );
  }

  /** A commit is complete. `isMailEmpty`: no message was put off. */
  settle(isMailEmpty: boolean): void {
    this.#closing.clear();
    for (const name of this.#delivered) this.#onTheWay.delete(name);
    this.#delivered.clear();
    if (!isMailEmpty) return;
    for (const { record, certain } of this.#open.values()) {
      if (certain === null) continue;
      this.#accuse(
        "wait-missed",
        `wait ${record.jobId} of run ${record.runId} goes on waiting, but event ${certain} has come`,
      );
    }
  }

  #candidatesOnTheWay(node: Sought, run: RunMirror): Set<string> {
    const candidates = new Set<string>();
    for (const id of this.#onTheWay.values()) {
      const event = this.#mirror.everStored.get(id);
      if (event !== undefined && satisfies(node, run, event)) candidates.add(id);
    }
    return candidates;
  }

  #isWithinLookback(node: Sought, run: RunMirror, event: EventMirror, at: number): boolean {
    if (node.lookback === null || !satisfies(node, run, event)) return false;
    const { id, receivedAt } = event.record;
    const from = node.lookback === "run" ? this.#beginningOf(run) : at - node.lookback;
    if (receivedAt < from || run.run.eventIds.includes(id)) return false;
    return !takenBy(run).has(shownId(event.record));
  }

  /** A run begins with the arrival of its event, which may be a little before its own record. */
  #beginningOf({ run }: RunMirror): number {
    const arrivals = run.eventIds.map(
      (id) => this.#mirror.everStored.get(id)?.record.receivedAt ?? run.queuedAt,
    );
    return Math.min(run.queuedAt, ...arrivals);
  }
}

function satisfies(node: Sought, run: RunMirror, event: EventMirror): boolean {
  return event.record.name === node.event && matchesKey(node.match, run.key, event.key);
}

/** Ids, as apps see them, of the events that earlier waits of a run have had. */
function takenBy(run: RunMirror): ReadonlySet<string> {
  const taken = new Set<string>();
  const nodes = stepsOf(run.program);
  for (const [id, memo] of run.steps) {
    const node = nodes.get(id);
    if (memo === "null" || node === undefined) continue;
    if (node.kind === "wait") taken.add(idOf(memo));
    if (node.kind !== "waitMany") continue;
    for (const event of eventsOf(memo, node.mode).values()) taken.add(idOf(event));
  }
  for (const job of run.jobs.values()) {
    if (job.kind !== "waitMany") continue;
    for (const { received } of job.branches) if (received !== null) taken.add(idOf(received));
  }
  return taken;
}

/** Events as JSON text by the names of their branches. */
function eventsOf(memo: string, mode: "any" | "all"): ReadonlyMap<string, string> {
  // proof: what the server writes for such steps; anything else is accused by its shape
  const { data } = JSON.parse(memo) as { data: Record<string, unknown> };
  const entries = mode === "any" ? [[String(data["name"]), data["event"]]] : Object.entries(data);
  return new Map(entries.map(([name, event]) => [String(name), JSON.stringify(event)]));
}

/** What an entry of the index waits for; null: no step of the program. */
function soughtBy(run: RunMirror, waitId: string): Sought | null {
  const jobId = jobOfBranch(waitId);
  const node = stepsOf(run.program).get(jobId ?? waitId);
  if (jobId === null) return node?.kind === "wait" ? node : null;
  if (node?.kind !== "waitMany") return null;
  const place = node.branches.findIndex((_, index) => branchId(jobId, index) === waitId);
  const branch = node.branches[place];
  return branch === undefined ? null : { ...branch, id: node.id, lookback: node.lookback };
}

function nameOfBranch(run: RunMirror, jobId: string, place: number): string {
  return nameOf({ runId: run.run.id, jobId: branchId(jobId, place) });
}

function idOf(memo: string): string {
  const event: unknown = JSON.parse(memo);
  return typeof event === "object" && event !== null && "id" in event ? String(event.id) : "";
}

function shownId(event: EventRecord): string {
  return event.externalId ?? event.id;
}

function nameOf({ runId, jobId }: { readonly runId: string; readonly jobId: string }): string {
  return `${runId}/${jobId}`;
}

/** Entries of the index that a job must have. */
export function entriesOf(job: Job): readonly string[] {
  if (job.kind === "wait") return [job.id];
  if (job.kind !== "waitMany") return [];
  return job.branches.flatMap(({ received }, place) =>
    received === null ? [branchId(job.id, place)] : [],
  );
}
