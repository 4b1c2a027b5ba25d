// The outside world: senders of events, people who cancel runs, apps that register, retention. It
// speaks to whichever server is there, over a network that may lose what is said in either
// direction, and says it again where a real client would.
import type { EventRecord } from "@pawl/engine/records";
import { runtimeId } from "@pawl/engine/schedule/runtime";
import type { ScheduleDefinition } from "@pawl/engine/schedule-records";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import type { Answer } from "@pawl/protocol/answer";
import type { Call } from "@pawl/server/driver/driver";
import type { CommandInput } from "@pawl/server/loop/batch";
import type { Runtime } from "@pawl/server/loop/runtime";
import type { Reply } from "@pawl/engine/decision";
import { olderThan } from "@pawl/store/retained";
import type { Agenda } from "./agenda.ts";
import type { AppRequest } from "./app/request.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Oracle } from "./oracle/oracle.ts";
import type { PausePlan, SchedulePlan, SentEvent } from "./scenario.ts";
import type { SystemClock } from "./server/sim-clock.ts";
import type { SimulationLog } from "./simulation-log.ts";

export interface OutsideParts {
  readonly agenda: Agenda;
  readonly faults: Faults;
  readonly dice: Dice;
  readonly clock: SystemClock;
  readonly log: SimulationLog;
  readonly oracle: Oracle;
  /** The server that is there now; null: none. */
  readonly runtime: () => Runtime | null;
  /** Whether a server can still be heard. */
  readonly hears: (runtime: Runtime) => boolean;
}

const retryMs = 500;
/** How often a signal is sent in vain before its sender gives up. */
const signalTriesMax = 4;

export class Outside {
  readonly #parts: OutsideParts;
  /** Requests that have to succeed and have not yet. */
  #pending = 0;
  /** Functions that somebody wanted to go on while they were gone. */
  readonly #toResume = new Set<string>();

  constructor(parts: OutsideParts) {
    this.#parts = parts;
  }

  /** Whether nobody waits for a server. */
  get isIdle(): boolean {
    return this.#pending === 0;
  }

  /** Sends events in one request, with ids of the sender, until a server has taken them. */
  async send(events: readonly SentEvent[]): Promise<void> {
    const { agenda, clock, dice, faults, log, oracle } = this.#parts;
    const ids = events.map(() => dice.ulid(clock.now()));
    const ts = events.map(({ delayMs }) => clock.now() + delayMs);
    log.write(`send ${events.map(({ name, key }) => `${name} ${key}`).join(", ")}`);
    this.#pending++;
    for (;;) {
      await agenda.sleep(dice.below(20));
      const lost = faults.strikes("sendLost", ids.join());
      const records = events.map((event, index) =>
        this.#record(event, ids[index] ?? "", ts[index] ?? 0),
      );
      const reply = lost
        ? null
        : await this.#ask({ type: "events.received", events: records, resendable: true });
      if (reply?.ok === true && !faults.strikes("sendUnanswered", ids.join())) break;
      await agenda.sleep(retryMs);
    }
    this.#pending--;
    oracle.tookEvents(ids);
  }

  /**
   * Sends a signal under one id, until a server has answered; when nobody waits, a few times more.
   * `number` tells the signals of a scenario apart, and is what they carry.
   */
  async signal(signal: string, number: number): Promise<void> {
    const { agenda, dice, faults, log, oracle } = this.#parts;
    const where = `signal ${signal} ${number}`;
    log.write(`send ${where}`);
    const id = `signal-${number}`;
    const data = toJsonText(number);
    this.#pending++;
    for (let inVain = 0; inVain < signalTriesMax; ) {
      await agenda.sleep(dice.below(20));
      const lost = faults.strikes("sendLost", where);
      const before = oracle.signals.holderOf(signal);
      const reply = lost
        ? null
        : await this.#ask({ type: "signal.sent", signal, data, types: null, id });
      if (reply !== null && !faults.strikes("sendUnanswered", where)) {
        if (reply.ok) {
          if (reply.value.type === "signalled") oracle.signals.taken(number, reply.value.runId);
          break;
        }
        oracle.signals.inVain(signal, number, before);
        inVain++;
      }
      await agenda.sleep(retryMs * (1 + inVain));
    }
    this.#pending--;
  }

  /** An app reports steps in the middle of a call. */
  async checkpoint(
    { runId, jobId, requestId }: AppRequest,
    opcodes: readonly Opcode[],
  ): Promise<"saved" | "stale" | "unreachable"> {
    const { agenda, dice, faults, oracle } = this.#parts;
    await agenda.sleep(dice.below(5));
    if (faults.strikes("checkpointLost", requestId)) return "unreachable";
    const command = { type: "checkpoint.received", runId, jobId, requestId, opcodes } as const;
    if (faults.strikes("checkpointRepeated", requestId)) {
      agenda.after(faults.amount("checkpointRepeated", 0, 3_000), () => void this.#ask(command));
    }
    const wasCurrent = oracle.calls.isCurrent({ runId, jobId, requestId });
    const reply = await this.#ask(command);
    if (reply?.ok === true) oracle.calls.believed(requestId, wasCurrent);
    if (reply === null || faults.strikes("checkpointUnanswered", requestId)) return "unreachable";
    if (!reply.ok) return "stale";
    oracle.tookSteps(runId, opcodes, true);
    return "saved";
  }

  /** An answer that comes when its connection is gone. */
  async strayAnswer(call: Call, answer: Answer): Promise<void> {
    const { runId, jobId, generation, requestId } = call;
    const { clock, oracle } = this.#parts;
    const sentAt = clock.now();
    const wasCurrent = oracle.calls.isCurrent(call);
    const reply = await this.#ask({
      type: "call.answered",
      runId,
      jobId,
      generation,
      sentAt,
      answer,
    });
    if (reply?.ok === true) oracle.calls.believed(requestId, wasCurrent);
    if (reply?.ok === false && reply.code === "dispatch_stale" && answer.kind === "opcodes") {
      oracle.tookSteps(runId, answer.opcodes, false);
    }
  }

  /** Cancels one of the runs that were started so far; tries once. */
  async cancel(pick: number): Promise<void> {
    const { oracle } = this.#parts;
    const { started } = oracle.mirror;
    const run = started[pick % Math.max(1, started.length)];
    if (run === undefined) return;
    const reply = await this.#ask({
      type: "run.cancelled",
      runId: run.id,
      reason: "the simulation says so",
    });
    if (reply?.ok === true) oracle.cancelled(run.id);
  }

  /** Makes a schedule, pauses it and lets it go on, each again and again until a server has done it. */
  async schedule(plan: SchedulePlan): Promise<void> {
    const { agenda, clock, oracle } = this.#parts;
    const { name, everyMs, pauses } = plan;
    const scheduleId = runtimeId(name);
    const definition = definitionOf(plan, clock.now());
    oracle.schedules.planned(scheduleId, definition, everyMs, pauses.length > 0);
    this.#pending++;
    const isThere = await this.#insist({
      type: "schedule.set",
      scheduleId,
      definition,
      paused: null,
      onlyNew: false,
    });
    for (const { atMs, forMs } of isThere ? pauses : []) {
      await agenda.sleep(Math.max(0, atMs - plan.atMs));
      await this.#insist({ type: "schedule.paused", scheduleId, reason: null });
      await agenda.sleep(forMs);
      await this.#insist({ type: "schedule.resumed", scheduleId });
    }
    this.#pending--;
  }

  /** Starts one of the ended runs again; says so until a server has answered, so perhaps twice. */
  async rerun({
    pick,
    step,
  }: {
    readonly pick: number;
    readonly step: number | null;
  }): Promise<void> {
    const { agenda, clock, dice, faults, log, oracle } = this.#parts;
    const ended = oracle.mirror.endedRuns;
    const original = ended[pick % Math.max(1, ended.length)];
    if (original === undefined) return;
    const stepIds = [...original.steps.keys()];
    const stepId = step === null ? undefined : stepIds[step % Math.max(1, stepIds.length)];
    const fromStep = stepId === undefined ? null : { stepId, input: null };
    const newRun = { at: clock.now(), seed: dice.seed() };
    const runId = original.run.id;
    log.write(`rerun ${runId} from ${stepId ?? "the beginning"}`);
    this.#pending++;
    for (;;) {
      const reply = await this.#ask({ type: "run.rerun", runId, newRun, fromStep, gate: null });
      const started = reply?.ok === true && reply.value.type === "started" ? reply.value : null;
      if (started !== null) oracle.repeated(runId, started.runId, stepId ?? null);
      if (reply !== null && !faults.strikes("sendUnanswered", runId)) break;
      await agenda.sleep(retryMs);
    }
    this.#pending--;
  }

  /** Somebody pauses a function, and lets it go on. */
  async pause({ slug, forMs }: PausePlan): Promise<void> {
    const { agenda, log, oracle } = this.#parts;
    const functionId = `function-${slug}`;
    log.write(`pause ${slug}`);
    this.#pending++;
    const isDone = await this.#insist({ type: "function.paused", functionId });
    if (isDone) oracle.pauses.paused(functionId);
    await agenda.sleep(forMs);
    await this.#resume(functionId);
    this.#pending--;
  }

  /** One that is gone cannot be resumed: its pause outlives that, so it is tried again when it is back. */
  async #resume(functionId: string): Promise<void> {
    const { oracle } = this.#parts;
    this.#pending++;
    this.#toResume.delete(functionId);
    oracle.pauses.resumes(functionId);
    let isGone: boolean;
    do isGone = !(await this.#insist({ type: "function.resumed", functionId }));
    while (isGone && oracle.mirror.deployments.get(functionId) !== undefined);
    if (isGone) this.#toResume.add(functionId);
    oracle.pauses.resumed(functionId);
    this.#pending--;
  }

  /** Says it until it is heard, and hears the answer; false: it was refused. */
  async #insist(command: CommandInput): Promise<boolean> {
    const { agenda, dice, faults } = this.#parts;
    for (;;) {
      await agenda.sleep(dice.below(20));
      const lost = faults.strikes("sendLost", command.type);
      const reply = lost ? null : await this.#ask(command);
      if (reply !== null && !faults.strikes("sendUnanswered", command.type)) return reply.ok;
      await agenda.sleep(retryMs);
    }
  }

  /** Registers an app, again and again until the server has taken it, or it is not wanted any more. */
  async register(command: CommandInput, runtime: Runtime, isWanted: () => boolean): Promise<void> {
    const { agenda, hears } = this.#parts;
    while (hears(runtime) && isWanted()) {
      const reply = await this.#ask(command);
      if (reply?.ok === true) return this.#resumeReturned();
      await agenda.sleep(retryMs);
    }
  }

  #resumeReturned(): void {
    for (const functionId of this.#toResume) void this.#resume(functionId);
  }

  /**
   * Removes what is older than `before`, a few records at a time. Not while somebody may send
   * again what is removed: real retention is days behind.
   */
  async retain(before: number): Promise<void> {
    for (;;) {
      if (!this.isIdle) return;
      const reply = await this.#ask({
        type: "retention.due",
        bounds: olderThan(before),
        limit: 3,
        limitBytes: 2_000,
      });
      if (reply?.ok !== true || reply.value.type !== "removed") return;
      if (!reply.value.hasMore) return;
    }
  }

  /** The server's reply; null when there is no server, or it refused, or it is gone meanwhile. */
  async #ask(command: CommandInput): Promise<Reply | null> {
    const { agenda, hears } = this.#parts;
    const runtime = this.#parts.runtime();
    if (runtime === null) return null;
    return new Promise((resolve) => {
      const answered = (reply: Reply | null): void => {
        watch.cancel();
        resolve(hears(runtime) ? reply : null);
      };
      runtime.submit(command).then(answered, () => answered(null));
      const look = (): void => {
        if (hears(runtime)) watch = agenda.after(retryMs, look);
        else resolve(null);
      };
      let watch = agenda.after(retryMs, look);
    });
  }

  #record({ name, key, externalId }: SentEvent, id: string, ts: number): EventRecord {
    return {
      id,
      name,
      externalId,
      ts,
      receivedAt: this.#parts.clock.now(),
      data: toJsonText({ key }),
      user: null,
      version: null,
      meta: null,
    };
  }
}

/** The schedule of a plan that is made about now. */
function definitionOf(plan: SchedulePlan, now: number): ScheduleDefinition {
  const { name, target, key, isCron, everyMs, ticks, jitterMs, overlap, catchUp } = plan;
  const startAt = now + 1_000;
  return {
    timing: isCron
      ? { kind: "cron", line: `*/${everyMs / 1_000} * * * * *` }
      : { kind: "every", everyMs },
    target: {
      ...target,
      data: toJsonText({ key, schedule: runtimeId(name) }),
      user: null,
      version: null,
      meta: null,
    },
    jitterMs,
    startAt,
    endAt: startAt + (isCron ? ticks : ticks - 1) * everyMs,
    overlap,
    catchUp,
    catchUpWindowMs: null,
  };
}
