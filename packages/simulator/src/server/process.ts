// One life of the server: the real runtime on simulated surroundings. It can be ended at any point
// at which it touches something outside of itself; between two such points nobody could tell.
import type { MemoryData } from "@pawl/store/memory/memory-data";
import { createMemoryStore } from "@pawl/store/memory-store";
import type { Store } from "@pawl/store/store";
import type { Change } from "@pawl/engine/changes";
import type { Seed } from "@pawl/engine/command-base";
import { defaultSettings } from "@pawl/engine/settings";
import { startRuntime, type Runtime } from "@pawl/server/loop/runtime";
import type { ServerError } from "@pawl/server/server-error";
import type { Agenda } from "../agenda.ts";
import type { Dice } from "../dice.ts";
import type { Faults } from "../faults.ts";
import type { Tuning } from "../scenario.ts";
import type { SimulationLog } from "../simulation-log.ts";
import type { SystemClock } from "./sim-clock.ts";
import { SimDriver, type SimDriverParts } from "./sim-driver.ts";
import { SimStore } from "./sim-store.ts";

export interface ProcessParts {
  readonly number: number;
  readonly data: MemoryData;
  readonly agenda: Agenda;
  readonly faults: Faults;
  readonly clock: SystemClock;
  readonly log: SimulationLog;
  readonly tuning: Tuning;
  readonly dice: Dice;
  /** Breaks the store on purpose, to see whether the oracle notices. */
  readonly sabotage: (store: Store) => Store;
  readonly committed: (process: ServerProcess, changes: readonly Change[]) => void;
  /** A command gets its seed. */
  readonly decides: () => void;
  readonly network: Pick<SimDriverParts, "receive" | "strayAnswer"> & {
    readonly sent: (process: ServerProcess, call: Parameters<SimDriverParts["sent"]>[0]) => void;
  };
  /** The process has ended, by a fault or by itself. */
  readonly ended: (process: ServerProcess) => void;
  readonly serverFault: (message: string) => void;
}

/** Commands within one instant, above which a process turns in circles. */
const commandsPerTurnMax = 5_000;

export class ServerProcess {
  readonly name: string;
  readonly driver: SimDriver;
  /** Null until it has started. */
  runtime: Runtime | null = null;
  readonly #parts: ProcessParts;
  #dead = false;
  /** Commands decided in this turn of the agenda. */
  #commands = 0;
  #turn = 0;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.name = `server-${parts.number}`;
    const { agenda, faults, dice, network } = parts;
    this.driver = new SimDriver({
      agenda,
      faults,
      dice,
      name: this.name,
      isDead: () => this.#dead,
      crash: () => this.crash(),
      receive: network.receive,
      strayAnswer: network.strayAnswer,
      sent: (call) => network.sent(this, call),
    });
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** The runtime, while this process lives and has started. */
  get alive(): Runtime | null {
    return this.#dead ? null : this.runtime;
  }

  /** Starts; a start that fails ends the process. */
  async start(): Promise<void> {
    const { clock, log, tuning, serverFault } = this.#parts;
    try {
      this.runtime = await startRuntime({
        store: this.#store(),
        settings: {
          ...defaultSettings,
          callsPerAppMax: tuning.callsPerAppMax,
          gatewayCallsMax: tuning.callsPerAppMax,
          waitsPageSize: tuning.waitsPageSize,
          retryIntervalMs: tuning.retryIntervalMs,
        },
        drivers: [this.driver],
        clock: clock.forProcess(() => this.#dead),
        seeds: () => this.#nextSeed(),
        log: log.forServer(this.name, serverFault),
        onFatal: (error) => this.#failed(error),
        request: { callTimeoutMs: tuning.callTimeoutMs },
        batchLimits: tuning.batch,
        timerLimits: tuning.timers,
      });
      log.write(`${this.name} started`);
    } catch (error) {
      log.write(
        `${this.name} could not start: ${error instanceof Error ? error.message : String(error)}`,
      );
      this.crash();
    }
  }

  /** For one more command. Throws, and ends the process, when there is no end of them. */
  #nextSeed(): Seed {
    const { agenda, decides, dice, serverFault } = this.#parts;
    decides();
    if (this.#turn !== agenda.turns) this.#commands = 0;
    this.#turn = agenda.turns;
    if (++this.#commands <= commandsPerTurnMax) return dice.seed();
    serverFault(`${this.name} decides without end`);
    this.crash();
    throw new Error(`${this.name} turns in circles`);
  }

  /** Ends it here and now: from its own point of view, nothing ever happens any more. */
  crash(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#parts.log.write(`${this.name} is gone`);
    this.#parts.ended(this);
  }

  #failed(error: ServerError): void {
    this.#parts.log.write(`${this.name} gave up: ${error.code}`);
    this.crash();
  }

  #store(): Store {
    const { data, agenda, faults, tuning, committed, sabotage } = this.#parts;
    const inner = createMemoryStore({
      data,
      onCommit: (changes, when) => (when === "after" ? committed(this, changes) : undefined),
    });
    return new SimStore({
      inner: sabotage(inner),
      agenda,
      faults,
      commitMs: tuning.commitMs,
      name: this.name,
      isDead: () => this.#dead,
      crash: () => this.crash(),
      spins: () => this.#parts.serverFault(`${this.name} turns in circles`),
    });
  }
}
