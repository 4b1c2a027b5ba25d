// Names of the index entries of a step that waits for several events: one for each branch. It must
// not know what a branch waits for.

/** Begins the ids of such entries. */
const branchPrefix = "branch:";

/** The id under which the wait of a branch (by its place, from 0) stands in the index. */
export function branchId(jobId: string, place: number): string {
  return `${branchPrefix}${place}:${jobId}`;
}

/** The job whose branch has this id; null when it is the id of no branch. */
export function jobOfBranch(waitId: string): string | null {
  return /^branch:\d+:(.*)$/s.exec(waitId)?.[1] ?? null;
}
