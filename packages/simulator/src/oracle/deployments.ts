// Which functions are registered, with which flow control, and which of them are paused, by the
// changes that were committed. It must not know why an app changed.
import type { Change } from "@pawl/engine/changes";
import type { FunctionRecord } from "@pawl/engine/records";
import type { ProgramFlow } from "../app/flow.ts";
import type { Program } from "../app/program.ts";
import type { Deployment } from "../registration.ts";

/** A function that is registered. */
export interface Deployed {
  readonly flow: ProgramFlow;
  readonly isPaused: boolean;
}

const noFlow: ProgramFlow = {};

export class Deployments {
  readonly #slugs = new Map<string, string>();
  readonly #revisions = new Map<number, Deployment>();
  /** By app id, then by function id. */
  readonly #apps = new Map<string, ReadonlyMap<string, Deployed>>();

  /** `programs`: by function id. */
  constructor(programs: ReadonlyMap<string, Program>) {
    for (const [functionId, { slug }] of programs) this.#slugs.set(functionId, slug);
  }

  /** Apps are about to register so. */
  planned(deployment: Deployment): void {
    this.#revisions.set(deployment.revision, deployment);
  }

  /** The function as it is registered; undefined: it is not. */
  get(functionId: string): Deployed | undefined {
    for (const functions of this.#apps.values()) {
      const found = functions.get(functionId);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Its flow control as it is registered; none when it is not. */
  flowOf(functionId: string): ProgramFlow {
    return this.get(functionId)?.flow ?? noFlow;
  }

  /** Whether a function that the scenario plans may be refused for its flow control at some time. */
  everHas(functionId: string, has: (flow: ProgramFlow) => boolean): boolean {
    const slug = this.#slugs.get(functionId) ?? "";
    return [...this.#revisions.values()].some(({ flows }) => has(flows.get(slug) ?? noFlow));
  }

  /** Whether the scenario ever takes the function away. */
  everGone(functionId: string): boolean {
    const slug = this.#slugs.get(functionId) ?? "";
    return [...this.#revisions.values()].some(({ flows }) => !flows.has(slug));
  }

  /** Takes in one change. */
  apply(change: Change): void {
    if (change.type === "app.delete") this.#apps.delete(change.appId);
    if (change.type !== "app.put") return;
    const { app } = change;
    this.#apps.set(app.id, new Map(app.functions.map((fn) => [fn.id, this.#read(fn)])));
  }

  #read({ config, slug, pausedAt }: FunctionRecord): Deployed {
    const { revision } = JSON.parse(config) as { revision: number }; // proof: `registrations` wrote it
    const flow = this.#revisions.get(revision)?.flows.get(slug) ?? noFlow;
    return { flow, isPaused: pausedAt !== null };
  }
}
