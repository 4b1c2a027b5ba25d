// The dispatch id of a call as it stands. Derived by a hash, so it is kept beside its record: the
// request and each checkpoint of the call ask for it. It must not know who asks.
import { dispatchId } from "@pawl/protocol/dispatch-id";
import type { CallJob } from "../records.ts";

const known = new WeakMap<CallJob, string>();

/** See `dispatchId`: of the call's run, job and generation. */
export function dispatchIdOf(job: CallJob): string {
  let id = known.get(job);
  if (id === undefined) known.set(job, (id = dispatchId(job.runId, job.id, job.generation)));
  return id;
}
