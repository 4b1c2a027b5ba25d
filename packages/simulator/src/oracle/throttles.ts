// Judges throttles: each first call begins at a place in the rate, no window of time has more places
// than the rate allows, and no place is later than it must be. It keeps the log of places itself, from
// what is written of first calls; it must not know how the engine remembers a rate.
import type { CallJob, CallState, Job } from "@pawl/engine/records";
import { defaultSettings } from "@pawl/engine/settings";
import type { ProgramFlow } from "../app/flow.ts";
import type { Mirror, RunMirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

/** Starts that come a period's part apart, but for `burst` of them. */
interface Rate {
  readonly apartMs: number;
  readonly burst: number;
}

/** What was taken of a rate. */
interface Taken {
  rate: Rate;
  /** When all that was taken is paid for, at one start each `apartMs`; ms since the epoch. */
  paidAt: number;
  /** Places since the rate is as it is. */
  places: number[];
}

/** A run whose first call has not begun. */
interface Waiting {
  /** Its place in the rate; null: it has none. */
  place: number | null;
  /** Since when its function's pause holds it, ms since the epoch; null: it does not. */
  heldAt: number | null;
}

/** Sums of fractions of a ms come out differently. */
const epsilonMs = 0.01;

/** How late a place is used when nothing goes wrong, ms. */
const lateMaxMs = 1_500;

/** When a call came to where it is, ms since the epoch. */
function timeOf({ run }: RunMirror, state: Exclude<CallState, { at: "delayed" }>): number {
  if (state.at === "queued") return state.since + run.priorityMs;
  return state.leaseUntil - defaultSettings.leaseMs;
}

export class ThrottleJudge {
  readonly #mirror: Mirror;
  readonly #isCalm: boolean;
  readonly #accuse: Accuse;
  readonly #taken = new Map<string, Taken>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #begun = new Set<string>();
  /** Rates of which a place was taken at a time that cannot be told. */
  readonly #unsure = new Set<string>();

  constructor(mirror: Mirror, isCalm: boolean, accuse: Accuse) {
    this.#mirror = mirror;
    this.#isCalm = isCalm;
    this.#accuse = accuse;
  }

  /** A call is written. */
  called(job: Job): void {
    const run = this.#mirror.runs.get(job.runId);
    if (job.kind !== "call" || run === undefined || this.#begun.has(job.runId)) return;
    // What gathers events is delayed for them, which looks the same from here.
    const isThrottled = run.flow.throttleMs !== undefined && run.flow.batch === undefined;
    if (!isThrottled) return void this.#begun.add(job.runId);
    const waiting = this.#waiting.get(job.runId) ?? { place: null, heldAt: null };
    this.#waiting.set(job.runId, waiting);
    if (job.state.at === "delayed") return this.#delayed(run, job.state.dueAt, waiting);
    const isPaused = this.#mirror.deployments.get(run.run.functionId)?.isPaused === true;
    if (isPaused && job.state.at === "queued") waiting.heldAt ??= timeOf(run, job.state);
    else this.#begins(run, job, waiting);
  }

  #delayed(run: RunMirror, dueAt: number, waiting: Waiting): void {
    const event = this.#mirror.everStored.get(run.run.eventIds[0] ?? "");
    const rate = this.#rateOf(run);
    if (rate === null || (dueAt === event?.record.ts && waiting.place === null)) return;
    if (this.#isCalm && waiting.place !== null && waiting.heldAt === null)
      this.#accuse("throttle-broken", `run ${run.run.id} has to take a second place at ${dueAt}`);
    waiting.place = dueAt;
    waiting.heldAt = null;
    this.#take(run, rate, dueAt, true);
  }

  #begins(run: RunMirror, { state }: CallJob, { place, heldAt }: Waiting): void {
    const { id } = run.run;
    this.#begun.add(id);
    this.#waiting.delete(id);
    const rate = this.#rateOf(run);
    if (rate === null || state.at === "delayed") return;
    // In another queue it keeps the time at which it came to the one of the pause.
    if (heldAt !== null && state.at === "queued") return void this.#unsure.add(this.#nameOf(run));
    const at = timeOf(run, state);
    if (place === null || at - (heldAt ?? place) > rate.apartMs)
      return this.#take(run, rate, at, false);
    // A place comes once: the clock may be put back while a pause holds the run.
    if ((heldAt ?? at) < place || (this.#isCalm && heldAt === null && at - place > lateMaxMs))
      this.#accuse("throttle-broken", `run ${id} begins at ${at}, its place is at ${place}`);
  }

  #take(run: RunMirror, rate: Rate, place: number, isDelayed: boolean): void {
    const name = this.#nameOf(run);
    const taken = this.#taken.get(name) ?? { rate, paidAt: 0, places: [] };
    if (taken.rate.apartMs !== rate.apartMs || taken.rate.burst !== rate.burst) {
      taken.rate = rate;
      taken.places = [];
    }
    this.#taken.set(name, taken);
    const freeAt = taken.paidAt - (rate.burst - 1) * rate.apartMs;
    taken.paidAt = (isDelayed ? taken.paidAt : Math.max(taken.paidAt, place)) + rate.apartMs;
    taken.places.push(place);
    if (this.#unsure.has(name)) return;
    if (place < freeAt - epsilonMs || (isDelayed && place - 1 > freeAt + epsilonMs))
      this.#accuse(
        "throttle-broken",
        `run ${run.run.id} has its place in ${name} at ${place}, the first that is free is at ${freeAt}`,
      );
    this.#checkWindows(name, taken, place);
  }

  /** In any window are at most `burst` places, and one more for each `apartMs` of it. */
  #checkWindows(name: string, { rate, places }: Taken, end: number): void {
    const { apartMs, burst } = rate;
    for (const begin of places) {
      const count = places.filter((place) => place >= begin && place <= end).length;
      // Places are whole ms: one that was rounded up seems nearer to the next.
      if (count > burst + (end - begin + 1) / apartMs)
        this.#accuse("throttle-broken", `${count} runs of ${name} begin in ${end - begin} ms`);
    }
  }

  #rateOf({ run }: RunMirror): Rate | null {
    const { throttleMs, throttleOf }: ProgramFlow = this.#mirror.deployments.flowOf(run.functionId);
    if (throttleMs === undefined) return null;
    return { apartMs: throttleMs / (throttleOf?.starts ?? 1), burst: throttleOf?.burst ?? 1 };
  }

  /** A run has the rate of its key as its function had it when the run was made. */
  #nameOf({ run, flow, key }: RunMirror): string {
    return `${run.functionId}/${flow.throttleOf?.perKey === true ? key : "all"}`;
  }
}
