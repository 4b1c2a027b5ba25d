// Judges waits: a wait and its event meet exactly once, and a wait that looks back sees what came.
// Only the order of commits counts, and the latest time the clock has ever shown: when a wait had
// surely not timed out, it must take the event.
import type { EventRecord, StepRecord, WaitRecord } from "@pawl/engine/records";
import type { Message } from "@pawl/engine/commands";
import { matchesKey, stepsOf, type StepNode } from "../app/program.ts";
import type { EventMirror, Mirror, RunMirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

type WaitNode = Extract<StepNode, { kind: "wait" }>;

/** What is known about the system's clock. */
export interface WitnessClock {
  /** The latest time that it has ever shown, ms since the epoch. */
  latest(): number;
  wasSetBack(): boolean;
}

interface OpenWait {
  readonly record: WaitRecord;
  readonly node: WaitNode;
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
    const node = run === undefined ? undefined : stepsOf(run.program).get(record.jobId);
    const job = run?.jobs.get(record.jobId);
    if (run === undefined || node?.kind !== "wait" || job === undefined) {
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

  #candidatesOnTheWay(node: WaitNode, run: RunMirror): Set<string> {
    const candidates = new Set<string>();
    for (const id of this.#onTheWay.values()) {
      const event = this.#mirror.everStored.get(id);
      if (event !== undefined && satisfies(node, run, event)) candidates.add(id);
    }
    return candidates;
  }

  #isWithinLookback(node: WaitNode, run: RunMirror, event: EventMirror, at: number): boolean {
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

function satisfies(node: WaitNode, run: RunMirror, event: EventMirror): boolean {
  return event.record.name === node.event && matchesKey(node.match, run.key, event.key);
}

/** Ids, as apps see them, of the events that earlier waits of a run have had. */
function takenBy(run: RunMirror): ReadonlySet<string> {
  const taken = new Set<string>();
  const nodes = stepsOf(run.program);
  for (const [id, memo] of run.steps) {
    if (nodes.get(id)?.kind === "wait" && memo !== "null") taken.add(idOf(memo));
  }
  return taken;
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
