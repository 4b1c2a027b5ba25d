// Judges what people do to runs: a cancelled run takes with it what it invoked, where its step said
// so, and a run that is started again takes over of its original what it should.
import type { MemoryData } from "@pawl/store/memory/memory-data";
import type { RunRecord, StepRecord } from "@pawl/engine/records";
import type { StepNode } from "../app/program.ts";
import { stepsOf } from "../app/program.ts";
import type { Mirror, RunMirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

interface Repeat {
  readonly original: RunRecord;
  /** Steps of the original, in order of completion. */
  readonly order: readonly string[];
  /** Steps that the repeat was born with. */
  readonly copied: string[];
}

export class ActionJudge {
  readonly #mirror: Mirror;
  readonly #data: MemoryData;
  readonly #accuse: Accuse;
  /** Events and steps of each repeat's original, as they were when the repeat began. */
  readonly #repeats = new Map<string, Repeat>();

  constructor(mirror: Mirror, data: MemoryData, accuse: Accuse) {
    this.#mirror = mirror;
    this.#data = data;
    this.#accuse = accuse;
  }

  /** A run is about to be written. */
  written(run: RunRecord): void {
    if (run.originalRunId === null || this.#mirror.runs.has(run.id)) return;
    const original = this.#mirror.runs.get(run.originalRunId);
    const name = `run ${run.id}, a repeat of ${run.originalRunId},`;
    if (original === undefined || original.endedIn === null)
      return this.#accuse("repeat-wrong", `${name} began before the end of that`);
    if (run.eventIds.join() !== original.run.eventIds.join())
      this.#accuse("repeat-wrong", `${name} has other events`);
    this.#repeats.set(run.id, {
      original: original.run,
      order: [...original.steps.keys()],
      copied: [],
    });
  }

  /** Whether a step is written with the birth of its run, as it is in the original. */
  isCopy(run: RunMirror, step: StepRecord): boolean {
    const originalId = run.run.originalRunId;
    if (originalId === null || run.bornIn !== this.#mirror.commits) return false;
    if (this.#mirror.runs.get(originalId)?.steps.get(step.id) !== step.memo) return false;
    this.#repeats.get(run.run.id)?.copied.push(step.id);
    return true;
  }

  /** Somebody was told that a run was started again, from that step or (null) from its beginning. */
  repeated(originalId: string, runId: string, stepId: string | null): void {
    const run = this.#mirror.runs.get(runId);
    const repeat = this.#repeats.get(runId);
    // Retention may have taken it meanwhile.
    if (run === undefined || repeat === undefined) return;
    if (repeat.original.id !== originalId)
      this.#accuse("repeat-wrong", `run ${runId} repeats ${repeat.original.id}, not ${originalId}`);
    const before = stepId === null ? [] : repeat.order.slice(0, repeat.order.indexOf(stepId));
    if (repeat.copied.join() !== before.join())
      this.#accuse(
        "repeat-wrong",
        `run ${runId} began with ${repeat.copied.join()} instead of ${before.join()}`,
      );
  }

  /** After each commit. A message that was put off may be what cancels a run. */
  check(): void {
    if (this.#data.mail.size > 0) return;
    for (const { run, endedIn } of this.#mirror.runs.values()) {
      const { parent, coParents, batchId } = run;
      // Whoever joined is known to want it, too; the engine's own tables try those.
      if (endedIn !== null || parent === null || coParents.length > 0 || batchId !== null) continue;
      const invoker = this.#mirror.runs.get(parent.runId);
      if (invoker?.run.status !== "cancelled") continue;
      // It had stopped waiting before, at the timeout of the step.
      if (invoker.steps.has(parent.jobId)) continue;
      if (this.#stepOf(invoker, parent.jobId)?.onCancel !== "cancel") continue;
      this.#accuse(
        "orphan",
        `run ${run.id} goes on, but run ${parent.runId} that invoked it was cancelled`,
      );
    }
  }

  #stepOf({ program }: RunMirror, stepId: string): Extract<StepNode, { kind: "invoke" }> | null {
    const node = stepsOf(program).get(stepId);
    return node?.kind === "invoke" ? node : null;
  }
}
