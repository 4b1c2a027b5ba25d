// Judges a campaign from what apps wrote down and what the server has: one run for each accepted
// event, every run ended, no acknowledged step run again, one value for each step.
import { createHash } from "node:crypto";
import { readEffects, type Effect } from "./effects.ts";
import { codeSteps } from "./journey.ts";
import type { Accepted } from "./load.ts";

export interface Verdict {
  readonly faults: readonly string[];
  readonly runs: number;
  /** Steps whose code ran in an app, each counted once. */
  readonly steps: number;
  /** Executions beyond the first of steps that were not acknowledged when it began. */
  readonly repeats: number;
  /** Calls of handlers. */
  readonly calls: number;
}

interface StepFacts {
  /** What each execution returned, with the call that it was in. */
  readonly ran: Map<string, string>;
  /** The acknowledged value. */
  saw: string | null;
}

/** The facts of one run. */
interface RunFacts {
  readonly fn: string;
  readonly key: string;
  readonly steps: Map<string, StepFacts>;
}

type Ran = Extract<Effect, { kind: "ran" }>;
type Saw = Extract<Effect, { kind: "saw" }>;

class Reading {
  readonly faults: string[] = [];
  readonly runs = new Map<string, RunFacts>();
  calls = 0;
  repeats = 0;
  /** By call: what it saw of its own steps and may not have been acknowledged yet. */
  readonly #unsure = new Map<string, Saw[]>();

  take(effect: Effect): void {
    if (effect.kind === "called") {
      this.calls++;
      const { run, fn, key } = effect;
      if (!this.runs.has(run)) this.runs.set(run, { fn, key, steps: new Map() });
      return;
    }
    const run = this.runs.get(effect.run);
    if (run === undefined) {
      this.faults.push(`a step of a run that was never called: ${JSON.stringify(effect)}`);
      return;
    }
    if (effect.kind === "ran") this.#ran(run, effect);
    else this.#saw(run, effect);
  }

  #ran(run: RunFacts, effect: Ran): void {
    const { step, call, value } = effect;
    for (const earlier of this.#unsure.get(call) ?? []) this.#acknowledged(run, earlier);
    this.#unsure.delete(call);
    const facts = factsOf(run, step);
    if (facts.saw !== null)
      this.faults.push(
        `step ${step} of ${naming(run, effect)} ran again after its value was acknowledged`,
      );
    // The first attempt of `flaky` fails, so that its second is no repeat.
    const due = step === "flaky" ? 2 : 1;
    if (facts.ran.size >= due) this.repeats++;
    facts.ran.set(value, call);
  }

  /**
   * `inngest` goes on with a step's value while it still saves it, and runs no other step before
   * that is done; `pawl` goes on afterwards.
   */
  #saw(run: RunFacts, effect: Saw): void {
    const { step, value, call } = effect;
    const isOwn = factsOf(run, step).ran.get(value) === call;
    if (!isOwn || run.key.startsWith("pawl")) return this.#acknowledged(run, effect);
    this.#unsure.set(call, [...(this.#unsure.get(call) ?? []), effect]);
  }

  #acknowledged(run: RunFacts, effect: Saw): void {
    const { step, value } = effect;
    const facts = factsOf(run, step);
    if (facts.saw === null) {
      facts.saw = value;
      const isCode = step !== "child";
      if (isCode && !facts.ran.has(value))
        this.faults.push(
          `step ${step} of ${naming(run, effect)} has a value that no execution returned`,
        );
    } else if (facts.saw !== value) {
      this.faults.push(`step ${step} of ${naming(run, effect)} was ${facts.saw} and then ${value}`);
    }
  }
}

function factsOf(run: RunFacts, step: string): StepFacts {
  let facts = run.steps.get(step);
  if (facts === undefined) run.steps.set(step, (facts = { ran: new Map(), saw: null }));
  return facts;
}

function naming(run: RunFacts, { run: id, call }: Ran | Saw): string {
  return `run ${id} (${run.fn} ${run.key}), call ${call},`;
}

/** Reads the facts and asks the server, which must be up. */
export async function judge(
  url: string,
  effectsPath: string,
  accepted: readonly Accepted[],
): Promise<Verdict> {
  const reading = new Reading();
  for (const effect of readEffects(effectsPath)) reading.take(effect);
  const { faults, runs } = reading;
  const byKey = new Map<string, string[]>();
  let steps = 0;
  for (const [id, run] of runs) {
    const name = `${run.fn} ${run.key}`;
    byKey.set(name, [...(byKey.get(name) ?? []), id]);
    for (const step of run.fn === "main" ? codeSteps.main : codeSteps.child) {
      steps++;
      if (!run.steps.has(step)) faults.push(`step ${step} of run ${id} (${name}) never ran`);
    }
  }
  for (const { key, eventIds, seeded } of accepted) {
    for (const fn of ["main", "child"]) {
      const ids = byKey.get(`${fn} ${key}`) ?? [];
      if (ids.length !== 1)
        faults.push(`${key} has ${ids.length} runs of ${fn}: ${ids.join(", ")}`);
    }
    // Of an event with an id of its own the first copy has the run, and that one's answer may be
    // what a kill has cut off.
    const found = await runsOf(url, eventIds);
    if (found.length > 1 || (seeded && found.length === 0))
      faults.push(`the server has ${found.length} runs for event ${key}`);
  }
  if (runs.size !== accepted.length * 2)
    faults.push(`${runs.size} runs were called for ${accepted.length} accepted events`);
  for (const [id, run] of runs) faults.push(...(await compare(url, id, run)));
  return { faults, runs: runs.size, steps, repeats: reading.repeats, calls: reading.calls };
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  return response.json();
}

async function runsOf(url: string, eventIds: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const eventId of new Set(eventIds)) {
    const answer = await getJson(`${url}/v1/events/${eventId}/runs`);
    // proof: the documented shape of the route
    for (const { run_id } of (answer as { data: { run_id: string }[] }).data) found.add(run_id);
  }
  return [...found];
}

/** The server's record of a run against what its handlers saw. */
async function compare(url: string, id: string, run: RunFacts): Promise<string[]> {
  const answer = await getJson(`${url}/v1/runs/${id}`);
  const { status } = (answer as { data: { status: string } }).data; // proof: the documented shape
  if (status !== "Completed") return [`run ${id} (${run.fn} ${run.key}) is ${status}`];
  const memos = await getJson(`${url}/v0/runs/${id}/actions`);
  const faults: string[] = [];
  for (const [step, { saw, ran }] of run.steps) {
    const hash = createHash("sha1").update(step).digest("hex");
    const memo = (memos as Record<string, { data?: unknown }>)[hash]; // proof: memos by hashed id
    const recorded = String(memo?.data);
    if (saw !== null ? recorded === saw : ran.has(recorded)) continue;
    faults.push(`step ${step} of run ${id} is recorded as ${recorded}, seen as ${String(saw)}`);
  }
  return faults;
}

/** Waits for the end of runs without asking about the same one again once it has ended. */
export class Endings {
  readonly #url: string;
  readonly #effectsPath: string;
  readonly #ended = new Set<string>();

  constructor(url: string, effectsPath: string) {
    this.#url = url;
    this.#effectsPath = effectsPath;
  }

  /** Whether so many runs were called and all that were called have ended. */
  async are(count: number): Promise<boolean> {
    const called = new Set(readEffects(this.#effectsPath).map(({ run }) => run));
    if (called.size < count) return false;
    for (const run of called) {
      if (this.#ended.has(run)) continue;
      const answer = await getJson(`${this.#url}/v1/runs/${run}`);
      // proof: the documented shape of the route
      if ((answer as { data: { ended_at: string | null } }).data.ended_at === null) return false;
      this.#ended.add(run);
    }
    return true;
  }
}
