// What flow control keeps for a run, by the keys in `run.holds`: records that name the run as holder
// of a singleton or as open for more events, waits for events that cancel it, and schedules that wait
// for its end. All of it is let go of at the run's end at the latest.
import type { RunDraft } from "../run-draft.ts";
import type { Need } from "../needs.ts";
import type { RunRecord } from "../records.ts";
import type { RunOrigin } from "../schedule-records.ts";

/** Begins the ids of waits that cancel their run; they have no job. */
export const cancelPrefix = "cancel:";
/** Begins the key of a throttle that the first call still has to pass. */
const throttlePrefix = "throttle:";
/** Stands before the key of a throttle in which the first call has its place. */
export const placedPrefix = "placed:";

/** Stands before the key of a singleton that a run will ask for when its slot closes. */
const wantedPrefix = "wanted:";

/** Begins `schedule:<run>:<schedule>`: the schedule, and the id under which it knows the run. */
const schedulePrefix = "schedule:";

/** Keeps the schedule of a tick from starting another run before the end of this one, if it must. */
export function holdSchedule(run: RunDraft, origin: RunOrigin | null, runId: string): void {
  if (origin?.isHeld !== true) return;
  const key = `${schedulePrefix}${runId}:${origin.schedule.id}`;
  if (!run.run.holds.includes(key)) run.update({ holds: [...run.run.holds, key] });
}

/** Whether a hold is about the throttle. */
export function isThrottle(hold: string): boolean {
  return hold.startsWith(throttlePrefix) || hold.startsWith(placedPrefix);
}

/** The hold of a singleton that is yet to be asked for. */
export function wantedHold(key: string): string {
  return `${wantedPrefix}${key}`;
}

export function isWanted(hold: string): boolean {
  return hold.startsWith(wantedPrefix);
}

/** The key of the record that a hold is about. */
export function recordKey(hold: string): string {
  const prefix = [placedPrefix, wantedPrefix].find((one) => hold.startsWith(one)) ?? "";
  return hold.slice(prefix.length);
}

/** The records that must be in memory before a run may be changed. */
export function holdNeeds(run: RunRecord): readonly Need[] {
  return run.holds
    .filter((hold) => !hold.startsWith(cancelPrefix) && !hold.startsWith(schedulePrefix))
    .map((hold) => ({ kind: "gate", key: recordKey(hold) }));
}

/** Lets go of everything that passes. */
export function dropHolds(run: RunDraft, passes: (hold: string) => boolean = () => true): void {
  const { holds } = run.run;
  if (holds.length === 0) return;
  const kept = holds.filter((hold) => !passes(hold));
  if (kept.length === holds.length) return;
  for (const hold of holds) if (passes(hold)) letGo(run, hold);
  run.update({ holds: kept });
}

function letGo(run: RunDraft, hold: string): void {
  if (hold.startsWith(cancelPrefix)) return run.deleteWait(hold);
  if (hold.startsWith(schedulePrefix)) {
    const [runId = ""] = hold.slice(schedulePrefix.length).split(":", 1);
    const scheduleId = hold.slice(schedulePrefix.length + runId.length + 1);
    return run.draft.send({ type: "schedule.runEnded", scheduleId, runId });
  }
  if (isThrottle(hold) || isWanted(hold)) return;
  const record = run.draft.gateRecord(hold);
  // A later run may hold the key by now.
  if (record !== undefined && record.kind !== "rate" && record.runId === run.id) {
    run.draft.deleteGate(hold);
  }
}
