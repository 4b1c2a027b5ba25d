// Runs one scenario from its first event until nothing is left to happen, and says whether every
// promise was kept. The same scenario always runs the same.
import { createMemoryData } from "@pawl/store/memory/memory-data";
import type { Store } from "@pawl/store/store";
import { Agenda } from "./agenda.ts";
import { AppHost } from "./app/host.ts";
import type { Program } from "./app/program.ts";
import { Dice } from "./dice.ts";
import { Faults, type FaultKind } from "./faults.ts";
import { Oracle } from "./oracle/oracle.ts";
import type { Violation } from "./oracle/violation.ts";
import { Outside } from "./outside.ts";
import { functionIdOf, registrations, type Deployment } from "./registration.ts";
import type { Redeploy, Scenario } from "./scenario.ts";
import { SystemClock } from "./server/sim-clock.ts";
import type { Runtime } from "@pawl/server/loop/runtime";
import { Supervisor } from "./server/supervisor.ts";
import { SimulationLog } from "./simulation-log.ts";

export interface SimulationOptions {
  /** Keeps the lines of the log. */
  readonly log?: boolean;
  /** Breaks the store of every process on purpose, to see whether the oracle notices. */
  readonly sabotage?: (store: Store) => Store;
}

export interface SimulationResult {
  /** Null: every promise was kept. */
  readonly violation: Violation | null;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly runs: number;
  readonly commits: number;
  /** Entries of the agenda. */
  readonly turns: number;
  /** Of the whole log. */
  readonly digest: number;
  /** Empty unless asked for. */
  readonly log: readonly string[];
}

/** Virtual time after the last fault within which everything has to come to rest. */
const restMaxMs = 4 * 60 * 60_000;

/** Entries of the agenda in one scenario, far above what any takes: somebody turns in circles. */
const turnsMax = 200_000;

/** The longest that a repeated or late message may be on its way. */
const strayMaxMs = 21_000;

export async function simulate(
  scenario: Scenario,
  options: SimulationOptions = {},
): Promise<SimulationResult> {
  const simulation = new Simulation(scenario, options);
  await simulation.run();
  return simulation.result();
}

/** Whether nothing can go wrong, so that nothing may be done twice. */
function isCalm({ faults, tuning, redeploys = [] }: Scenario): boolean {
  const isThere = redeploys.every(({ without }) => without.length === 0);
  return Object.keys(faults).length === 0 && tuning.callTimeoutMs >= 60_000 && isThere;
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #agenda = new Agenda();
  readonly #clock = new SystemClock(this.#agenda);
  readonly #data = createMemoryData();
  readonly #log: SimulationLog;
  readonly #faults: Faults;
  readonly #oracle: Oracle;
  readonly #outside: Outside;
  readonly #host: AppHost;
  readonly #supervisor: Supervisor;
  #deployment: Deployment;
  /** Things of the scenario that have not begun. */
  #planned = 0;

  constructor(scenario: Scenario, options: SimulationOptions) {
    const { seed, programs, tuning, faultsMax, faultsUntilMs: untilMs } = scenario;
    const agenda = this.#agenda;
    this.#scenario = scenario;
    const flows = new Map(programs.map(({ slug, flow = {} }) => [slug, flow]));
    this.#deployment = { revision: 0, hasCrons: true, flows };
    this.#log = new SimulationLog(agenda, options.log ?? false);
    this.#faults = new Faults(
      seed,
      scenario.faults,
      { faultsMax, untilMs },
      { agenda, log: this.#log },
    );
    this.#oracle = new Oracle({
      data: this.#data,
      programs: new Map(programs.map((program) => [functionIdOf(program), program])),
      callsPerAppMax: tuning.callsPerAppMax,
      isCalm: isCalm(scenario),
      clock: this.#clock,
      faults: () => this.#faults.happened,
    });
    this.#oracle.mirror.deployments.planned(this.#deployment);
    const shared = {
      agenda,
      faults: this.#faults,
      clock: this.#clock,
      log: this.#log,
      oracle: this.#oracle,
    };
    this.#outside = new Outside({
      ...shared,
      dice: new Dice(seed, "outside"),
      runtime: () => this.#supervisor.runtime,
      hears: (runtime) => this.#supervisor.hears(runtime),
    });
    this.#host = this.#makeHost(programs);
    this.#supervisor = new Supervisor({
      ...shared,
      data: this.#data,
      tuning,
      dice: new Dice(seed, "server"),
      sabotage: options.sabotage ?? ((store) => store),
      network: {
        receive: (call) => this.#host.receive(call),
        strayAnswer: (call, answer) => void this.#outside.strayAnswer(call, answer),
      },
      register: (runtime) => {
        this.#register(runtime);
      },
    });
  }

  async run(): Promise<void> {
    this.#supervisor.start();
    await this.#until(() => this.#isRegistered);
    this.#plan();
    await this.#until(() => this.#isAtRest);
    if (this.#oracle.violation !== null) return;
    this.#faults.end();
    const strayUntil = this.#agenda.elapsedMs + strayMaxMs;
    await this.#until(() => this.#agenda.elapsedMs >= strayUntil && this.#isAtRest);
    this.#checkRest();
    await this.#checkRetention();
  }

  result(): SimulationResult {
    const { violation, mirror } = this.#oracle;
    if (violation !== null) this.#log.write(`violation ${violation.rule}: ${violation.message}`);
    return {
      violation,
      faults: this.#faults.counts,
      runs: mirror.started.length,
      commits: mirror.commits,
      turns: this.#agenda.turns,
      digest: this.#log.digest,
      log: this.#log.lines,
    };
  }

  #makeHost(programs: readonly Program[]): AppHost {
    const dice = new Dice(this.#scenario.seed, "apps");
    return new AppHost({
      agenda: this.#agenda,
      faults: this.#faults,
      dice,
      programs: new Map(programs.map((program) => [program.slug, program])),
      checkpoint: (request, opcodes) => this.#outside.checkpoint(request, opcodes),
      send: (name) =>
        void this.#outside.send([{ name, key: dice.below(2), externalId: null, delayMs: 0 }]),
      executed: (request, stepId, memo) => {
        this.#log.write(
          `${request.runId} ran ${stepId.slice(0, 6)} as ${memo} for ${request.requestId}`,
        );
        this.#oracle.executed(request, stepId, memo);
      },
    });
  }

  get #isRegistered(): boolean {
    return (
      this.#data.apps.size === new Set(this.#scenario.programs.map((program) => program.app)).size
    );
  }

  #plan(): void {
    const { pauses = [], redeploys = [] } = this.#scenario;
    const { sends, cancels, reruns = [], retentions, resyncs } = this.#scenario;
    const { schedules = [], cronsUntilMs } = this.#scenario;
    for (const { atMs, events } of sends) this.#at(atMs, () => void this.#outside.send(events));
    for (const [index, { atMs, signal }] of (this.#scenario.signals ?? []).entries())
      this.#at(atMs, () => void this.#outside.signal(signal, index));
    for (const { atMs, pick } of cancels) this.#at(atMs, () => void this.#outside.cancel(pick));
    for (const rerun of reruns) this.#at(rerun.atMs, () => void this.#outside.rerun(rerun));
    for (const { atMs, ageMs } of retentions)
      this.#at(atMs, () => void this.#outside.retain(this.#clock.now() - ageMs));
    for (const atMs of resyncs) this.#at(atMs, () => this.#deploy({}));
    for (const redeploy of redeploys) this.#at(redeploy.atMs, () => this.#redeploy(redeploy));
    for (const plan of pauses) this.#at(plan.atMs, () => void this.#outside.pause(plan));
    if (cronsUntilMs !== undefined) {
      this.#at(cronsUntilMs, () => {
        this.#deploy({ hasCrons: false });
      });
    }
    for (const plan of schedules) this.#at(plan.atMs, () => void this.#outside.schedule(plan));
    this.#watchClock();
  }

  #at(atMs: number, run: () => void): void {
    this.#planned++;
    this.#agenda.after(atMs, () => {
      this.#planned--;
      run();
    });
  }

  #redeploy({ flows, without }: Redeploy): void {
    const there = this.#scenario.programs.filter(({ slug }) => !without.includes(slug));
    const known = there.map(({ slug, flow = {} }) => [slug, flows[slug] ?? flow] as const);
    this.#deploy({ flows: new Map(known) });
  }

  /** The apps register again, with something changed or only another revision. */
  #deploy(changed: Partial<Deployment>): void {
    const revision = this.#deployment.revision + 1;
    this.#deployment = { ...this.#deployment, ...changed, revision };
    this.#oracle.mirror.deployments.planned(this.#deployment);
    const runtime = this.#supervisor.runtime;
    if (runtime === null) return;
    this.#register(runtime);
  }

  /** The apps as they are now, unless they change before the server has taken it. */
  #register(runtime: Runtime): void {
    const deployment = this.#deployment;
    const isWanted = () => this.#deployment === deployment;
    for (const command of registrations(this.#scenario.programs, deployment))
      void this.#outside.register(command, runtime, isWanted);
  }

  /** Somebody may set the clock, now and then. */
  #watchClock(): void {
    const faults = this.#faults;
    this.#agenda.after(4_000, () => {
      if (faults.strikes("clockForward", "the clock"))
        this.#clock.jump(faults.amount("clockForward", 1, 2 * 60 * 60_000));
      if (faults.strikes("clockBack", "the clock"))
        this.#clock.jump(-faults.amount("clockBack", 1, 5 * 60_000));
      if (!faults.areOver) this.#watchClock();
    });
  }

  get #isAtRest(): boolean {
    const runtime = this.#supervisor.runtime;
    if (runtime === null || this.#planned > 0 || !this.#outside.isIdle || this.#host.busy > 0)
      return false;
    if (!this.#oracle.schedules.isAtRest || this.#data.schedulesByTime.size > 0) return false;
    if (!this.#oracle.allEnded || this.#data.mail.size > 0) return false;
    const { callsUnderWay, commandsWaiting } = runtime.counts;
    return callsUnderWay === 0 && commandsWaiting === 0;
  }

  /** Lets time pass until something is so, or a promise is broken, or time is up. */
  async #until(isSo: () => boolean): Promise<void> {
    const limitMs = Math.max(this.#scenario.faultsUntilMs, this.#agenda.elapsedMs) + restMaxMs;
    while (!isSo()) {
      const went = await this.#agenda.turn();
      if (this.#oracle.violation !== null) return;
      if (this.#agenda.turns > turnsMax)
        this.#oracle.accuse("busy-idling", `${turnsMax} things happened, and it goes on`);
      if (went && this.#agenda.elapsedMs <= limitMs) continue;
      this.#oracle.accuse("never-quiet", this.#whatIsLeft());
      return;
    }
  }

  #whatIsLeft(): string {
    const unfinished = [...this.#oracle.mirror.runs.values()].filter(
      ({ endedIn }) => endedIn === null,
    );
    const runs = unfinished.map(
      ({ run, jobs }) =>
        `${run.id} (${run.status}) waits for ${JSON.stringify([...jobs.values()])}`,
    );
    const counts = JSON.stringify(this.#supervisor.runtime?.counts ?? "no server");
    return `not at rest after ${restMaxMs} ms: ${runs.join("; ")}; ${counts}; pending ${!this.#outside.isIdle}, busy ${this.#host.busy}`;
  }

  #checkRest(): void {
    this.#oracle.finish();
    const gates = [...(this.#supervisor.runtime?.hot.gateKeys() ?? [])];
    if (gates.length > 0)
      this.#oracle.accuse("left-over", `gates still count calls: ${gates.join(", ")}`);
  }

  /** In the end retention can remove everything: nothing holds on to what has ended. */
  async #checkRetention(): Promise<void> {
    let done = false;
    void this.#outside.retain(this.#clock.latest() + 1).then(() => (done = true));
    await this.#until(() => done);
    const { runs, events } = this.#data;
    if (runs.size > 0 || events.size > 0)
      this.#oracle.accuse(
        "left-over",
        `retention left ${runs.size} runs and ${events.size} events`,
      );
  }
}
