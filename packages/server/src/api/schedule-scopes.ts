// What somebody must be allowed to do for a schedule to do it: a schedule is no way around the scopes
// of sending events and of starting runs. It must not know how schedules are stored.
import type { ScheduleTarget } from "@pawl/engine/schedule-records";
import { scopeMissing, type Caller, type Scope } from "../auth/scopes.ts";
import { httpProblem, problemResponse } from "../http/problem.ts";
import type { HttpResponse } from "../http/response.ts";

/** The scope that doing it by hand would take. */
function scopeOf({ kind }: Pick<ScheduleTarget, "kind">): Scope {
  return kind === "event" ? "events:write" : "runs:write";
}

/** The refusal of a caller who may not do what the schedule is to do; null: nothing refuses it. */
export function targetRefusal(
  caller: Caller,
  target: Pick<ScheduleTarget, "kind"> | undefined,
): HttpResponse | null {
  if (target === undefined || caller.may(scopeOf(target))) return null;
  const what = target.kind === "event" ? "sends an event" : "starts a function";
  const message = `The schedule ${what}. ${scopeMissing(scopeOf(target))}`;
  return problemResponse(httpProblem(403, "access_denied", message));
}
