// A world for engine tests: the hot state alone, everything in memory, a clock that the test
// moves. Messages are taken at once, and the numbered invariants are asserted after every command.
import assert from "node:assert/strict";
import type { Answer } from "@pawl/protocol/answer";
import { dispatchId } from "@pawl/protocol/dispatch-id";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import type { Change } from "../changes.ts";
import type { Command } from "../commands.ts";
import type { Seed } from "../command-base.ts";
import { decide } from "../decide.ts";
import type { Reply } from "../decision.ts";
import type { Effect } from "../effects.ts";
import type { Found, Need } from "../needs.ts";
import type { CallJob, EventRecord, FunctionRecord, Job } from "../records.ts";
import { roomFor } from "../flow/concurrency.ts";
import { gateOfQueue } from "../gate.ts";
import { requirements } from "../requirements.ts";
import { defaultSettings, type Settings } from "../settings.ts";
import { HotState } from "../state/hot-state.ts";
import type { RunView } from "../state/view.ts";
import { wakeUpProblem } from "../wake-up.ts";
import { WaitIndex } from "./wait-index.ts";

type Unstamped<C> = C extends unknown ? Omit<C, "at" | "seed"> : never;

export class World {
  at = Date.UTC(2026, 0, 1);
  readonly state: HotState;
  readonly changes: Change[] = [];
  /** Effects of the last command. */
  effects: Effect[] = [];
  readonly outputs = new Map<string, unknown>();
  readonly #runIds = new Set<string>();
  readonly #waits = new WaitIndex();
  #serial = 0;

  constructor(settings: Partial<Settings> = {}) {
    this.state = new HotState({ ...defaultSettings, epoch: 1, ...settings });
  }

  /** Registers an app whose functions start on the event named like them. */
  sync(appName: string, functions: readonly Partial<FunctionRecord>[], sdk = "js:v4.24.0"): Reply {
    return this.do({
      type: "app.synced",
      app: {
        id: `app-${appName}`,
        name: appName,
        url: "http://localhost/api/pawl",
        sdk,
        framework: null,
        platform: null,
        appVersion: null,
        checksum: `sum-${this.#serial++}`,
      },
      functions: functions.map((fn) => ({
        id: `id-${fn.slug}`,
        slug: fn.slug ?? "",
        name: fn.name ?? fn.slug ?? "",
        url: "http://localhost/api/pawl?fnId=x&stepId=step",
        triggers: fn.triggers ?? [{ kind: "event", event: fn.slug ?? "", expression: null }],
        retries: fn.retries ?? 3,
        config: fn.config ?? toJsonText({}),
      })),
    });
  }

  event(name: string, data: unknown = {}, more: Partial<EventRecord> = {}): EventRecord {
    this.#serial++;
    return {
      id: `01EVENT${String(this.#serial).padStart(19, "0")}`,
      name,
      externalId: null,
      ts: this.at,
      receivedAt: this.at,
      data: toJsonText(data),
      user: null,
      version: null,
      meta: null,
      ...more,
    };
  }

  /** Sends an event; returns the ids of the runs that it started. */
  send(name: string, data: unknown = {}, more: Partial<EventRecord> = {}): string[] {
    const from = this.changes.length;
    this.do({ type: "events.received", events: [this.event(name, data, more)], resendable: false });
    return this.startedSince(from);
  }

  startedSince(from: number): string[] {
    const ids = new Set<string>();
    for (const change of this.changes.slice(from)) {
      if (change.type === "run.put" && change.run.queuedAt === this.at) ids.add(change.run.id);
    }
    return [...ids];
  }

  /** Decides a command and all that follows from it; effects and changes are gathered. */
  do(unstamped: Unstamped<Command>): Reply {
    this.effects = [];
    // proof: `at` and `seed` are the two fields that the unstamped type leaves out.
    const first = { ...unstamped, at: this.at, seed: this.#seed() } as Command;
    const queue: Command[] = [first];
    let reply: Reply | undefined;
    for (let command = queue.shift(); command !== undefined; command = queue.shift()) {
      for (
        let missing = requirements(this.state, command);
        missing.length > 0;
        missing = requirements(this.state, command)
      ) {
        this.state.absorb(missing.map(nothing));
      }
      const decision = decide(this.state, command);
      for (const change of decision.changes) this.#apply(change);
      this.effects.push(...decision.effects);
      queue.push(...decision.messages);
      reply ??= decision.reply;
    }
    this.#assertInvariants();
    assert.ok(reply, "the first command was decided");
    return reply;
  }

  run(runId: string): RunView {
    const run = this.state.run(runId);
    assert.ok(run, `run ${runId} exists`);
    return run;
  }

  /** Ids of all runs, in order of their first change. */
  runIds(): string[] {
    return [...this.#runIds];
  }

  /** Waits that are registered. */
  waitCount(): number {
    return this.#waits.count;
  }

  /** Names of signals that somebody waits for. */
  signalCount(): number {
    return this.#waits.signalCount;
  }

  /** Sends a signal; returns the code of the refusal, or the run that got it. */
  signal(signal: string, data: unknown = {}, id: string | null = null): string {
    const json = toJsonText(data);
    const reply = this.do({ type: "signal.sent", signal, data: json, types: null, id });
    if (!reply.ok) return reply.code;
    assert.equal(reply.value.type, "signalled");
    return reply.value.runId;
  }

  /** Puts the function's flow control into its configuration. */
  static flow(slug: string, options: object): Partial<FunctionRecord> {
    return { slug, config: toJsonText({ id: slug, ...options }) };
  }

  /** Calls in the queues before a gate, in the order in which a shell takes them. */
  queue(gate: string): CallJob[] {
    const calls = this.runIds().flatMap((id) => [...this.run(id).jobs.values()]);
    return calls
      .filter((job) => job.kind === "call")
      .filter(({ state }) => state.at === "queued" && gateOfQueue(state.gate) === gate)
      .toSorted((a, b) => sinceOf(a) - sinceOf(b) || (a.runId < b.runId ? -1 : 1));
  }

  /** Does what a shell does with `pull` effects until nothing moves: the heads of queues, in turns. */
  pull(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const gate of Array.from(this.state.gateKeys())) {
        for (const queue of this.state.queues(gate).keys()) {
          const head = this.queue(gate).find(
            ({ state }) => state.at === "queued" && state.gate === queue,
          );
          if (head === undefined || roomFor(this.state, queue) === 0) continue;
          this.do({ type: "call.admitted", runId: head.runId, jobId: head.id });
          moved = true;
        }
      }
    }
  }

  job(runId: string, jobId = "step"): Job | undefined {
    return this.run(runId).jobs.get(jobId);
  }

  call(runId: string, jobId = "step"): CallJob {
    const job = this.job(runId, jobId);
    assert.ok(
      job?.kind === "call",
      `run ${runId} has a call job ${jobId}, found ${JSON.stringify(job)}`,
    );
    return job;
  }

  /** Ids of the run's jobs, sorted. */
  jobs(runId: string): string[] {
    return [...this.run(runId).jobs.keys()].toSorted();
  }

  /** Answers a call that is out. */
  answer(runId: string, jobId: string, answer: Answer): Reply {
    const { generation } = this.call(runId, jobId);
    return this.do({ type: "call.answered", runId, jobId, generation, sentAt: this.at, answer });
  }

  /** Answers with opcodes, as request version 2 unless told otherwise. */
  ops(runId: string, jobId: string, opcodes: readonly Opcode[], requestVersion = 2): Reply {
    return this.answer(runId, jobId, {
      kind: "opcodes",
      opcodes,
      retryAfterMs: null,
      requestVersion,
    });
  }

  complete(runId: string, value: unknown = null, jobId = "step"): Reply {
    return this.answer(runId, jobId, {
      kind: "completed",
      memo: toJsonText({ data: value }),
      requestVersion: 2,
    });
  }

  fail(
    runId: string,
    message = "boom",
    more: { noRetry?: boolean; retryAfterMs?: number } = {},
    jobId = "step",
  ): Reply {
    return this.answer(runId, jobId, {
      kind: "failed",
      error: toJsonText({ name: "Error", message }),
      noRetry: more.noRetry ?? false,
      retryAfterMs: more.retryAfterMs ?? null,
      requestVersion: 2,
    });
  }

  /** The dispatch id that the app was called with. */
  requestId(runId: string, jobId = "step"): string {
    return dispatchId(runId, jobId, this.call(runId, jobId).generation);
  }

  /** Moves the clock and fires the job's timer. */
  wake(runId: string, jobId: string, at = this.at): Reply {
    this.at = at;
    return this.do({ type: "timer.due", runId, jobId });
  }

  memo(runId: string, stepId: string): unknown {
    const step = this.run(runId).steps.get(stepId);
    return step === undefined ? undefined : JSON.parse(step.memo);
  }

  #apply(change: Change): void {
    this.changes.push(change);
    if (change.type === "run.put") this.#runIds.add(change.run.id);
    this.state.apply(change);
    this.#waits.apply(change);
    if (change.type === "output.put") this.outputs.set(change.runId, JSON.parse(change.output));
  }

  #seed(): Seed {
    this.#serial++;
    return [this.#serial, 2, 3, 4];
  }

  #assertInvariants(): void {
    for (const id of this.#runIds) {
      const run = this.state.run(id);
      if (run !== undefined) assert.equal(wakeUpProblem(run), null);
    }
    this.#waits.check(this.runIds().flatMap((id) => this.state.run(id) ?? []));
  }
}

function sinceOf({ state }: CallJob): number {
  return state.at === "queued" ? state.since : 0;
}

/** Everything is in memory, so a store would have nothing to add. */
function nothing(need: Need): Found {
  switch (need.kind) {
    case "run":
      return { need, run: null };
    case "metadata":
      return { need, metadata: [] };
    case "event":
      return { need, exists: false };
    case "mail":
      return { need, lies: false };
    case "idempotency":
      return { need, runId: null, expiresAt: 0 };
    case "waits":
      return { need, waits: [] };
    case "pastEvents":
      return { need, events: [] };
    case "gate":
      return { need, gate: null };
    case "schedule":
      return { need, schedule: null };
    case "bulk":
      return { need, bulk: null };
    case "userSpans":
      return { need, tally: { ids: new Set(), bytes: 0 } };
    case "expiredRates":
      return { need, keys: [] };
    case "expiredKeys":
      return { need, keys: [] };
    case "expired":
      return { need, runIds: [], largeRunIds: [], eventIds: [], retiredId: null, hasMore: false };
  }
}
