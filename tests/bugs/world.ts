// A server's runtime in this process, with everything around it in the test's hands: the clock, the
// store and its failures, and an app that runs every kind of step and writes down what it did.
// One world may have several lives: runtimes that follow each other on the same data.
import assert from "node:assert/strict";
import { answerFromHttp } from "@pawl/protocol/answer-wire";
import type { Answer } from "@pawl/protocol/answer";
import { hashStepId } from "@pawl/protocol/step-id";
import { defaultSettings } from "@pawl/engine/settings";
import { wakeUpProblem } from "@pawl/engine/wake-up";
import type { EventRecord, RunRecord } from "@pawl/engine/records";
import type { Call, Carriage, Driver } from "@pawl/server/driver/driver";
import type { CommandInput } from "@pawl/server/loop/batch";
import { silentLog } from "@pawl/server/loop/log";
import { startRuntime, type Runtime } from "@pawl/server/loop/runtime";
import { event, syncApp } from "@pawl/server/loop/testing/fixtures";
import { VirtualClock } from "@pawl/server/loop/testing/virtual-clock";
import { everyRun } from "@pawl/store/run-filter";
import { createMemoryStore } from "@pawl/store/memory-store";
import { createMemoryData } from "@pawl/store/memory/memory-data";
import { FaultyStore, type Faults } from "./faulty-store.ts";
import {
  invoke,
  opcodes,
  returned,
  sleepFor,
  stepPlanned,
  stepRun,
  waitForEvent,
  type Reply,
} from "./wire-app.ts";

interface CallBody {
  readonly steps: Readonly<Record<string, { readonly data?: unknown } | null>>;
  readonly ctx: { readonly run_id: string; readonly attempt: number };
}

/** What may go wrong in the life of a process. */
export const noFaults: Faults = { commit: () => "done", read: () => true };

export class World {
  readonly clock = new VirtualClock();
  readonly data = createMemoryData();
  /** Steps whose code ran, as `run step`, in order; a failed attempt is none. */
  readonly ran: string[] = [];
  /** What is wrong with what the app was shown. */
  readonly faults: string[] = [];
  /** Commits that were begun, over all lives. */
  commits = 0;
  /** Reads of the store that were begun, over all lives. */
  reads = 0;
  readonly #shown = new Map<string, string>();
  readonly #made = new Map<string, Set<string>>();
  /** Of the newest life, without its faults. */
  #store = createMemoryStore({ data: this.data });
  #values = 0;
  #seeds = 0;

  /** Starts a process on the data. Rejects as `startRuntime` does. */
  async live(faults: Faults = noFaults): Promise<Runtime> {
    const counted: Faults = {
      commit: () => faults.commit(++this.commits),
      read: () => faults.read(++this.reads),
    };
    const store = createMemoryStore({ data: this.data });
    this.#store = store;
    return startRuntime({
      store: new FaultyStore(store, counted),
      settings: { ...defaultSettings, retryIntervalMs: 500 },
      drivers: [this.#driver()],
      clock: this.clock,
      seeds: () => [++this.#seeds, 2, 3, 4],
      log: silentLog,
      onFatal: (error) => this.faults.push(`fatal: ${error.message}`),
    });
  }

  /** Submits a command. Resolves with whether it was acknowledged without time passing. */
  async submit(runtime: Runtime, command: CommandInput): Promise<boolean> {
    const told = runtime.submit(command).then(
      (reply) => reply.ok,
      () => false,
    );
    await this.clock.advance(0);
    return Promise.race([told, Promise.resolve(false)]);
  }

  /** Lets time pass until every run has ended, or so much time is over. */
  async untilEnded(runs: number, ms: number): Promise<boolean> {
    for (let passed = 0; passed <= ms; passed += 250) {
      await this.clock.advance(250);
      const all = await this.runs();
      if (all.length >= runs && all.every(({ endedAt }) => endedAt !== null)) return true;
    }
    return false;
  }

  /** All runs in the data, newest first. */
  async runs(): Promise<readonly RunRecord[]> {
    const query = {
      type: "runs",
      filter: everyRun,
      behind: null,
      oldestFirst: false,
      limit: 100,
    } as const;
    return this.#store.list<"runs">(query);
  }

  /** What the app was told and what the data holds: empty when all is well. */
  async problems(runtime: Runtime, ran: readonly string[]): Promise<string[]> {
    const problems = [...this.faults];
    const runs = await this.runs();
    for (const { id, status } of runs) {
      if (status !== "completed") problems.push(`run ${id} is ${status}`);
      const view = runtime.hot.run(id);
      const problem = view === undefined ? null : wakeUpProblem(view);
      if (problem !== null) problems.push(problem);
    }
    const names = new Set(this.ran.map((name) => name.slice(name.indexOf(" ") + 1)));
    for (const name of ran) if (!names.has(name)) problems.push(`step ${name} never ran`);
    return problems;
  }

  #driver(): Driver {
    return {
      schemes: ["test:"],
      carry: (call): Carriage => ({ answer: this.#answer(call), abort: () => undefined }),
      close: () => Promise.resolve(),
    };
  }

  async #answer(call: Call): Promise<Answer> {
    const body = JSON.parse(call.body) as CallBody; // proof: protocol.md 2.1
    const target = new URL(call.url).searchParams.get("stepId") ?? "";
    const name = new URL(call.url).searchParams.get("fnId") ?? "";
    this.#compare(body);
    const app = new Journey(body, target, (step) => this.#run(body.ctx.run_id, step));
    const reply = name === "main" ? app.main() : app.child();
    assert.ok(reply !== null);
    const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
    const headers: Readonly<Record<string, string>> = {
      "x-inngest-sdk": "js:v4.24.0",
      "x-inngest-req-version": "2",
    };
    const { status } = reply;
    const header = (key: string): string | null => headers[key] ?? null;
    return answerFromHttp({ status, header, body: text, now: this.clock.now() });
  }

  /** A memo once shown never changes, and is what the step's code made. */
  #compare({ steps, ctx }: CallBody): void {
    for (const [id, memo] of Object.entries(steps)) {
      const key = `${ctx.run_id} ${id}`;
      const text = JSON.stringify(memo);
      const before = this.#shown.get(key) ?? text;
      if (before !== text) this.faults.push(`${key} was ${before} and is ${text}`);
      this.#shown.set(key, text);
      const made = this.#made.get(key);
      if (made !== undefined && !made.has(text))
        this.faults.push(`${key} is ${text}, which nobody made`);
    }
  }

  /** A step's code: a value that no other execution makes. */
  #run(runId: string, step: string): string {
    const key = `${runId} ${hashStepId(step, 0)}`;
    if (this.#shown.has(key))
      this.faults.push(`${key} (${step}) ran again after its value was shown`);
    const value = `${step}-${String(++this.#values)}`;
    this.ran.push(`${runId} ${step}`);
    this.#made.set(key, (this.#made.get(key) ?? new Set()).add(JSON.stringify({ data: value })));
    return value;
  }
}

/** The steps that the journey's functions run, to be asked for. */
export const journeySteps = ["a", "left", "right", "flaky", "last", "inner"];
/** From the start of the journey to its end when nothing goes wrong, in ms, with some room. */
export const journeyMs = 10_000;

/** One call of the functions `main` and `child`, written by hand: every kind of step. */
class Journey {
  readonly #body: CallBody;
  readonly #target: string;
  readonly #run: (step: string) => string;

  constructor(body: CallBody, target: string, run: (step: string) => string) {
    this.#body = body;
    this.#target = target;
    this.#run = run;
  }

  main(): Reply {
    for (const step of ["left", "right"]) {
      if (this.#target === hashStepId(step, 0)) return this.#step(step);
    }
    if (!this.#has("a")) return this.#step("a");
    if (!["left", "right", "nap"].every((step) => this.#has(step))) {
      const missing = ["left", "right"].filter((step) => !this.#has(step));
      return opcodes(...missing.map(stepPlanned), sleepFor("nap", 2));
    }
    if (!this.#has("child")) return opcodes(invoke("child", "child"));
    if (!this.#has("go")) return opcodes(waitForEvent("go", "go", { lookback: "run" }));
    if (!this.#has("flaky"))
      return this.#body.ctx.attempt === 0 ? this.#fails("flaky") : this.#step("flaky");
    if (!this.#has("late")) return opcodes(waitForEvent("late", "never", { timeout: "1s" }));
    if (!this.#has("last")) return this.#step("last");
    return returned("end");
  }

  child(): Reply {
    if (!this.#has("inner")) return this.#step("inner");
    if (!this.#has("rest")) return opcodes(sleepFor("rest", 1));
    return returned("child's end");
  }

  #has(step: string): boolean {
    return Object.hasOwn(this.#body.steps, hashStepId(step, 0));
  }

  #step(step: string): Reply {
    return opcodes(stepRun(step, this.#run(step)));
  }

  #fails(step: string): Reply {
    const error = { name: "Error", message: "the first attempt fails" };
    return opcodes({ id: hashStepId(step, 0), displayName: step, op: "StepError", error });
  }
}

/** What a client sends, in order and at that time: it goes on to the next when one is acknowledged. */
export function journeyCommands(now: number): readonly CommandInput[] {
  const keyed = (name: string): EventRecord => ({
    ...event(name),
    externalId: `the-${name}`,
    ts: now,
    receivedAt: now,
  });
  return [
    syncApp(["main", "child"], { retries: 5 }),
    { type: "events.received", events: [keyed("main")], resendable: false },
    { type: "events.received", events: [keyed("go")], resendable: false },
  ];
}

/** How many of them there are. */
export const commandCount = 3;
/** Runs of a whole journey: `main` and the `child` that it invokes. */
export const journeyRuns = 2;
