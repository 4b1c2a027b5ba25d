// Keeps one server running: starts it, starts another when it is gone, and leads everybody to the
// one that is current. A process that was only taken for dead may go on beside its successor.
import type { Runtime } from "@pawl/server/loop/runtime";
import type { Oracle } from "../oracle/oracle.ts";
import { ServerProcess, type ProcessParts } from "./process.ts";

type Shared = Omit<
  ProcessParts,
  "number" | "network" | "ended" | "decides" | "committed" | "serverFault"
> & {
  readonly network: Pick<ProcessParts["network"], "receive" | "strayAnswer">;
  readonly oracle: Oracle;
  /** A process has started: the apps register with it. */
  readonly register: (runtime: Runtime) => void;
};

/** How often the supervisor looks whether something happens to an idle process, ms. */
const idleMs = 5_000;
/** How long a process that was taken for dead goes on, ms. */
const isolatedMs = 60_000;

export class Supervisor {
  readonly #shared: Shared;
  #number = 0;
  #current: ServerProcess | null = null;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** The runtime that clients and apps reach; null while there is none. */
  get runtime(): Runtime | null {
    return this.#current?.alive ?? null;
  }

  /** Whether the process behind this runtime can still be heard. */
  hears(runtime: Runtime): boolean {
    return this.runtime === runtime;
  }

  start(): void {
    this.#launch();
    this.#watchIdle();
  }

  #launch(): void {
    const { oracle, register, network } = this.#shared;
    const process = new ServerProcess({
      ...this.#shared,
      number: ++this.#number,
      decides: () => oracle.decides(),
      committed: (from, changes) => oracle.committed(changes, from.driver.calls()),
      network: { ...network, sent: (from, call) => oracle.sent(call, from.driver.calls()) },
      ended: (one) => this.#ended(one),
      serverFault: (message) => oracle.accuse("server-fault", message),
    });
    this.#current = process;
    void process.start().then(() => {
      const runtime = process.alive;
      if (runtime !== null) register(runtime);
    });
  }

  #ended(process: ServerProcess): void {
    if (process !== this.#current) return;
    this.#replace();
  }

  #replace(): void {
    const { agenda, dice } = this.#shared;
    this.#current = null;
    agenda.after(dice.between(1, 3_000), () => this.#launch());
  }

  /** A process may be gone, or cut off, while nothing happens in it. */
  #watchIdle(): void {
    const { agenda, faults } = this.#shared;
    agenda.after(idleMs, () => {
      const process = this.#current;
      if (process !== null && process.alive !== null) {
        if (faults.strikes("crashWhileIdle", process.name)) process.crash();
        else if (faults.strikes("processIsolated", process.name)) this.#isolate(process);
      }
      if (!faults.areOver) this.#watchIdle();
    });
  }

  #isolate(process: ServerProcess): void {
    this.#replace();
    this.#shared.agenda.after(isolatedMs, () => process.crash());
  }
}
