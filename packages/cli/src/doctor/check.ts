// Walks every run of a store that has not ended and asks the engine whether it has a next wake-up
// (engine/SPEC.md, invariant 1). Reads only.
import { wakeUpProblem } from "@pawl/engine/wake-up";
import type { Store } from "@pawl/store/store";

export interface RunProblem {
  readonly runId: string;
  /** A sentence for people. */
  readonly problem: string;
}

export interface CheckResult {
  /** Runs looked at. */
  readonly unfinished: number;
  readonly problems: readonly RunProblem[];
}

const pageSize = 200;

/** Looks at all unfinished runs, page by page. `onProgress` hears how many it were so far. */
export async function checkRuns(
  store: Store,
  onProgress: (looked: number) => void,
): Promise<CheckResult> {
  const problems: RunProblem[] = [];
  let unfinished = 0;
  let after: string | null = null;
  for (;;) {
    const page: readonly string[] = await store.list<"unfinished">({
      type: "unfinished",
      after,
      limit: pageSize,
    });
    problems.push(...(await problemsOf(store, page)));
    unfinished += page.length;
    after = page.at(-1) ?? null;
    if (page.length < pageSize) return { unfinished, problems };
    onProgress(unfinished);
  }
}

/** What is wrong with the runs of these ids; runs that do not exist are not wrong. */
export async function problemsOf(
  store: Store,
  runIds: readonly string[],
): Promise<readonly RunProblem[]> {
  const found = await store.load(runIds.map((runId) => ({ kind: "run", runId })));
  return found.flatMap((answer) => {
    if (!("run" in answer) || answer.run === null) return [];
    const { run, jobs } = answer.run;
    const problem = wakeUpProblem({ run, jobs: new Map(jobs.map((job) => [job.id, job])) });
    return problem === null ? [] : [{ runId: answer.need.runId, problem }];
  });
}
