// Whether a run ended as its steps say. It must not know how runs come to their ends.
import { explore, mayFail } from "../app/program.ts";
import type { RunMirror } from "./mirror.ts";

/** What is wrong with the output of an ended run; null: nothing. */
export function outcomeProblem(
  { run, program, steps }: RunMirror,
  output: string,
  isCalm: boolean,
): string | null {
  if (run.status === "failed") {
    const isUnfounded = output.includes("no_progress") || (isCalm && !mayFail(program));
    return isUnfounded ? `run ${run.id} failed: ${output}` : null;
  }
  if (run.status !== "completed") return null;
  const found = explore(program, steps, Number.POSITIVE_INFINITY);
  const expected = found.kind === "returned" ? `{"data":${found.value}}` : found.kind;
  return output === expected ? null : `run ${run.id} returned ${output}; its steps say ${expected}`;
}
