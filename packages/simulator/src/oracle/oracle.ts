// Knows what the system promises and accuses it of the first promise that it breaks. It sees every
// committed change, every call that leaves a server, every execution of user code and every
// acknowledgement; it must not know how the server comes to its decisions.
import type { Change } from "@pawl/engine/changes";
import type { Job, StepRecord } from "@pawl/engine/records";
import { dispatchId } from "@pawl/protocol/dispatch-id";
import type { Opcode } from "@pawl/protocol/opcode";
import type { Call } from "@pawl/server/driver/driver";
import { stepsOf, type StepNode } from "../app/program.ts";
import type { AppRequest } from "../app/request.ts";
import { CallJudge } from "./calls.ts";
import { ActionJudge } from "./actions.ts";
import { DeferJudge } from "./defers.ts";
import { CronJudge } from "./crons.ts";
import type { OracleParts } from "./oracle-parts.ts";
import { outcomeProblem } from "./outcomes.ts";
import { missedSteps, wakeUpFault } from "./progress.ts";
import { runOf } from "./run-of.ts";
import { StartJudge } from "./starts.ts";
import { FlowJudge } from "./flow.ts";
import { OrderJudge } from "./order.ts";
import { PauseJudge } from "./pauses.ts";
import { NoteJudge } from "./notes.ts";
import { CountJudge } from "./counts.ts";
import { GatheringJudge } from "./gathering.ts";
import { TurnsJudge } from "./turns.ts";
import { ThrottleJudge } from "./throttles.ts";
import { ScheduleJudge } from "./schedules.ts";
import { isCancelWait, Mirror, textOf, type RunMirror } from "./mirror.ts";
import type { Accuse, Rule, Violation } from "./violation.ts";
import { SignalJudge } from "./signals.ts";
import { WaitJudge } from "./waits.ts";

/** How late a sleep may end when nothing goes wrong, ms. */
const lateMaxMs = 1_500;

/** Commands for each change, and beyond that, when nothing goes wrong. */
const decidedPerChangeMax = 1;
const decidedMax = 50;

export class Oracle {
  violation: Violation | null = null;
  readonly mirror: Mirror;
  readonly accuse: Accuse;
  readonly #parts: OracleParts;
  readonly signals: SignalJudge;
  readonly #waits: WaitJudge;
  readonly #starts: StartJudge;
  readonly #flow: FlowJudge;
  readonly calls: CallJudge;
  readonly #order: OrderJudge;
  readonly pauses: PauseJudge;
  readonly #counts: CountJudge;
  readonly #gathering: GatheringJudge;
  readonly #throttles: ThrottleJudge;
  readonly #turns: TurnsJudge;
  readonly #notes: NoteJudge;
  /** Commands that a process decided. */
  #decided = 0;
  /** Changes that were committed. */
  #changes = 0;
  readonly schedules: ScheduleJudge;
  readonly #crons: CronJudge;
  readonly #actions: ActionJudge;
  readonly #defers: DeferJudge;
  /** Steps recorded when a call was leased, by dispatch id. */
  readonly #leases = new Map<string, string>();
  /** Steps that user code knows of in a call, by dispatch id: those it was given and those it ran. */
  readonly #seen = new Map<string, Set<string>>();
  /** Memos that user code returned, by run and step. */
  readonly #returned = new Map<string, Set<string>>();

  constructor(parts: OracleParts) {
    this.#parts = parts;
    this.accuse = (rule: Rule, message: string) => {
      this.violation ??= { rule, message };
    };
    this.mirror = new Mirror(parts.programs);
    this.#flow = new FlowJudge(this.mirror, parts, this.accuse);
    this.#actions = new ActionJudge(this.mirror, parts.data, this.accuse);
    this.#waits = new WaitJudge(this.mirror, parts.clock, this.accuse);
    this.signals = new SignalJudge(this.mirror, parts.clock, this.accuse);
    this.calls = new CallJudge(this.mirror, parts.callsPerAppMax, this.accuse);
    this.#order = new OrderJudge(this.mirror, this.accuse);
    this.pauses = new PauseJudge(this.mirror, this.accuse);
    this.#counts = new CountJudge(this.mirror, this.accuse);
    this.#gathering = new GatheringJudge(this.mirror, this.accuse);
    this.#throttles = new ThrottleJudge(this.mirror, parts.isCalm, this.accuse);
    this.#turns = new TurnsJudge(this.mirror, parts, this.accuse);
    this.#notes = new NoteJudge(this.accuse);
    this.#defers = new DeferJudge(this.mirror, this.#gathering, this.accuse);
    this.#starts = new StartJudge(this.mirror, this.#gathering, this.accuse);
    this.schedules = new ScheduleJudge(this.mirror, this.accuse);
    this.#crons = new CronJudge(this.mirror, this.accuse);
  }

  /** A process decides a command, messages not counted. */
  decides(): void {
    this.#decided++;
  }

  /** A batch was written by a process that has these calls under way. */
  committed(changes: readonly Change[], underWay: Iterable<Call>): void {
    const { mirror } = this;
    this.#changes += changes.length;
    this.calls.handedOut(changes, underWay, (runId) => this.#ranTwice(runId));
    mirror.commits++;
    const touched = new Set<string>();
    for (const change of changes) {
      this.#look(change);
      mirror.apply(change);
      this.#lookAfter(change);
      const runId = runOf(change);
      if (runId !== null) touched.add(runId);
    }
    for (const runId of touched) this.#checkRun(runId);
    this.#flow.check();
    this.#crons.committed(changes, this.#parts.isCalm);
    this.schedules.committed(changes, this.#parts.data.mail.size > 0);
    this.#actions.check();
    this.#waits.settle(this.#parts.data.mail.size === 0);
    this.signals.settle();
  }

  /** A call leaves a process, which has the others under way. */
  sent(call: Call, underWay: Iterable<Call>): void {
    this.calls.sent(call, underWay, this.#leases.get(call.requestId));
  }

  /** User code of a step returned. */
  executed(request: Pick<AppRequest, "runId" | "requestId">, stepId: string, memo: string): void {
    const name = `${request.runId}/${stepId}`;
    const memos = this.#returned.get(name) ?? new Set<string>();
    this.#returned.set(name, memos.add(memo));
    this.#seen.get(request.requestId)?.add(stepId);
    if (this.#parts.isCalm && memos.size > 1)
      this.accuse(
        "step-repeated",
        `step ${stepId} of run ${request.runId} returned twice although nothing went wrong`,
      );
  }

  /** The server took steps: a checkpoint with a good answer, or an answer, however late. */
  tookSteps(runId: string, opcodes: readonly Opcode[], exactly: boolean): void {
    const run = this.mirror.runs.get(runId);
    if (run === undefined || (run.endedIn !== null && !exactly)) return;
    for (const opcode of opcodes) {
      if (opcode.op !== "StepRun") continue;
      const memo = run.steps.get(opcode.id);
      if (memo === undefined || (exactly && memo !== opcode.memo)) {
        this.accuse(
          "acknowledged-lost",
          `step ${opcode.displayName} of run ${runId} was taken, but ${memo ?? "nothing"} is recorded`,
        );
      }
    }
  }

  /** The server took a request with events. */
  tookEvents(eventIds: readonly string[]): void {
    this.#starts.accepted(eventIds);
  }

  cancelled(runId: string): void {
    const status = this.mirror.runs.get(runId)?.run.status ?? "cancelled";
    if (status !== "cancelled")
      this.accuse("acknowledged-lost", `run ${runId} was cancelled, but is ${status}`);
  }

  /** Somebody was told that a run was started again; see `ActionJudge`. */
  repeated(originalId: string, runId: string, stepId: string | null): void {
    this.#actions.repeated(originalId, runId, stepId);
  }

  /** Whether every run has ended. */
  get allEnded(): boolean {
    for (const run of this.mirror.runs.values()) if (run.endedIn === null) return false;
    return true;
  }

  /** Everything has come to rest. */
  finish(): void {
    const { data } = this.#parts;
    this.#starts.finish();
    this.#defers.finish();
    if (this.#parts.isCalm && this.#decided > decidedPerChangeMax * this.#changes + decidedMax)
      this.accuse("busy-idling", `${this.#decided} commands came to ${this.#changes} changes`);
    this.schedules.finish(this.#parts.isCalm);
    const left = {
      unfinished: data.unfinished.size,
      timers: data.timers.size,
      queues: data.queues.size,
      leased: data.leased.size,
      waits: data.waitsByKey.size,
      holds: [...data.gates.values()].filter((gate) => gate.kind !== "rate").length,
      mail: data.mail.size,
    };
    for (const [what, count] of Object.entries(left)) {
      if (count > 0) this.accuse("left-over", `${count} of ${what} are left in the store`);
    }
  }

  /** Whether some step of the run returned two values: an app that has the wrong one is called again. */
  #ranTwice(runId: string): boolean {
    const stepIds = this.mirror.runs.get(runId)?.program;
    if (stepIds === undefined) return false;
    return [...stepsOf(stepIds).keys()].some(
      (stepId) => (this.#returned.get(`${runId}/${stepId}`)?.size ?? 0) > 1,
    );
  }

  #look(change: Change): void {
    switch (change.type) {
      case "event.put":
        if (this.mirror.everStored.has(change.event.id))
          this.accuse("event-repeated", `event ${change.event.id} was stored twice`);
        return;
      case "run.put":
        this.#starts.written(change.run);
        this.#actions.written(change.run);
        this.#defers.written(change.run);
        this.#counts.written(change.run);
        this.#gathering.written(change.run);
        return this.#mayChange(change.run.id, "its record");
      case "output.put":
        if (this.mirror.outputs.has(change.runId))
          this.accuse("ended-run-changed", `run ${change.runId} has two outputs`);
        return this.signals.ended(change.runId, change.output);
      case "defer.put":
        this.#mayChange(change.runId, `deferral ${change.defer.id}`);
        return this.#defers.noted(change.runId, change.defer);
      case "gate.put":
        return this.signals.held(change.gate);
      case "gate.delete":
        return this.signals.freed(change.key);
      case "step.put":
        return this.#lookAtStep(change.runId, change.step);
      case "job.put":
        return this.#lookAtJob(change.job);
      case "metadata.put":
        return this.#notes.noted(change.metadata);
      case "mail.put":
        return this.#waits.putOff(change.mailId, change.message);
      case "mail.delete":
        return this.#waits.taken(change.mailId);
      case "app.put":
        return this.pauses.registered(change.app);
      case "job.delete":
        this.#turns.removed(change.runId, change.jobId);
        return this.#order.removed(change.runId, change.jobId);
      case "wait.delete":
        return this.#waits.removed(change.runId, change.jobId);
      case "run.delete":
      case "run.retire":
        if (this.mirror.runs.get(change.runId)?.endedIn === null)
          this.accuse("acknowledged-lost", `run ${change.runId} was removed before its end`);
        return;
      default:
        return;
    }
  }

  #lookAfter(change: Change): void {
    if (change.type === "wait.put" && !isCancelWait(change.wait.jobId))
      this.#waits.registered(change.wait);
    if (change.type === "app.put" || change.type === "app.delete") {
      this.#flow.registered();
      this.#turns.registered();
    }
    if (change.type !== "event.put") return;
    this.#starts.stored(change.event);
    this.#defers.stored(change.event);
    const event = this.mirror.events.get(change.event.id);
    if (event !== undefined) this.#waits.arrived(event);
  }

  #mayChange(runId: string, what: string): void {
    const endedIn = this.mirror.runs.get(runId)?.endedIn ?? null;
    if (endedIn !== null && endedIn < this.mirror.commits)
      this.accuse("ended-run-changed", `${what} was written after the end of run ${runId}`);
  }

  #lookAtJob(job: Job): void {
    this.#mayChange(job.runId, `job ${job.id}`);
    this.#order.written(job);
    this.pauses.called(job);
    this.#gathering.called(job);
    this.#throttles.called(job);
    this.#turns.written(job);
    if (job.kind === "waitMany") this.#waits.opened(job);
    if (job.kind !== "call" || job.state.at !== "leased") return;
    const id = dispatchId(job.runId, job.id, job.generation);
    const run = this.mirror.runs.get(job.runId);
    if (run === undefined || this.#leases.has(id)) return;
    this.#leases.set(id, textOf(run.steps));
    this.#seen.set(id, new Set(run.steps.keys()));
    if (job.target === "step") run.lastDiscovery = id;
  }

  #lookAtStep(runId: string, step: StepRecord): void {
    const run = this.mirror.runs.get(runId);
    const node = run === undefined ? undefined : stepsOf(run.program).get(step.id);
    if (run === undefined || node === undefined) {
      this.accuse("memo-unexplained", `step ${step.id} of run ${runId} is in no program`);
      return;
    }
    this.#mayChange(runId, `step ${node.id}`);
    const known = run.steps.get(step.id);
    if (known !== undefined)
      this.accuse(
        "step-rewritten",
        `step ${node.id} of run ${runId} was ${known} and became ${step.memo}`,
      );
    if (this.#actions.isCopy(run, step)) return;
    if (node.kind === "run") this.#notes.recorded(runId, step);
    if (node.kind === "wait") this.#waits.concluded(run, node, step);
    else if (node.kind === "waitMany") this.#waits.concludedMany(run, node, step);
    else if (node.kind === "signal") this.signals.concluded(run, node, step);
    else if (!this.#isExplained(run, node, step))
      this.accuse("memo-unexplained", `step ${node.id} of run ${runId} became ${step.memo}`);
  }

  #isExplained(
    run: RunMirror,
    node: Exclude<StepNode, { kind: "wait" | "waitMany" | "signal" }>,
    step: StepRecord,
  ): boolean {
    const job = run.jobs.get(step.id);
    switch (node.kind) {
      case "run":
      case "fetch":
        if (step.status === "failed") return node.failures > 0 || !this.#parts.isCalm;
        return this.#returned.get(`${run.run.id}/${step.id}`)?.has(step.memo) === true;
      case "sleep":
        if (job?.kind !== "sleep") return step.memo === "null" && node.forMs === 0;
        if (this.#parts.isCalm && step.endedAt - job.dueAt > lateMaxMs)
          this.accuse(
            "timer-late",
            `sleep ${node.id} of run ${run.run.id} ended ${step.endedAt - job.dueAt} ms late`,
          );
        return step.memo === "null" && step.endedAt >= job.dueAt;
      case "invoke":
        if (step.memo.startsWith('{"error":{"name":"FunctionNotFound"'))
          return this.mirror.deployments.everGone(`function-${node.slug}`);
        if (job?.kind !== "invoke") return false;
        if (step.memo.startsWith('{"error":{"name":"InngestInvokeTimeoutError"'))
          return this.#parts.clock.latest() >= job.dueAt;
        if (step.memo.startsWith('{"error":{"name":"PawlRunSkippedError"'))
          return this.#flow.maySkip(`function-${node.slug}`);
        return (
          this.mirror.outputs.get(
            this.mirror.invoked.get(`${run.run.id}/${step.id}`) ?? job.childRunId,
          ) === step.memo
        );
    }
  }

  #checkRun(runId: string): void {
    this.#notes.check(runId);
    const run = this.mirror.runs.get(runId);
    if (run === undefined) return;
    const fault = wakeUpFault(run);
    if (fault !== null) this.accuse("wake-up", fault);
    if (run.endedIn === this.mirror.commits) this.#checkOutcome(run);
    else if (run.endedIn === null) this.#checkProgress(run);
  }

  #checkProgress(run: RunMirror): void {
    const missed = missedSteps(run, this.#seen.get(run.lastDiscovery ?? "") ?? new Set());
    if (missed.length > 0)
      this.accuse(
        "progress-missed",
        `run ${run.run.id} waits for ${[...run.jobs.keys()].join()}, but nobody was told of step ${missed.join()}`,
      );
  }

  #checkOutcome(run: RunMirror): void {
    this.#defers.ended(run);
    const problem = outcomeProblem(
      run,
      this.mirror.outputs.get(run.run.id) ?? "",
      this.#parts.isCalm,
    );
    if (problem !== null) this.accuse("outcome-wrong", problem);
  }
}
