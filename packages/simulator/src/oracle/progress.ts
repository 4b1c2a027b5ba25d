// Whether a run that is not over can go on: something wakes it up, and its app was told of what is
// recorded. It must not know how the rest is judged.
import { wakeUpProblem } from "@pawl/engine/wake-up";
import { racingSteps } from "../app/program.ts";
import type { RunMirror } from "./mirror.ts";
import { entriesOf } from "./waits.ts";

/** What keeps a run from being woken up; null: nothing does. */
export function wakeUpFault({ run, jobs, waits }: RunMirror): string | null {
  const problem = wakeUpProblem({ run, jobs });
  if (problem !== null) return problem;
  const waiting = [...jobs.values()].flatMap(entriesOf);
  if (waiting.length === waits.size && waiting.every((id) => waits.has(id))) return null;
  return `run ${run.id} waits for ${waiting.length} events and has ${waits.size} entries in the index of waits`;
}

/**
 * Steps of which nobody was told; `seen` are those that user code knows of in the last discovery. It sees
 * what is recorded, or is about to: at once, but for steps that from version 2 on wait for the others
 * of their group.
 */
export function missedSteps(
  { run, program, jobs, steps }: RunMirror,
  seen: ReadonlySet<string>,
): readonly string[] {
  let joins = false;
  for (const job of jobs.values()) {
    if (job.kind === "call" && job.target === "step") return [];
    if (job.kind === "deadline") continue;
    joins ||= !job.race && run.requestVersion >= 2;
  }
  const racing = racingSteps(program);
  return [...steps.keys()].filter(
    (id) => !seen.has(id) && !jobs.has(id) && (!joins || racing.has(id)),
  );
}
