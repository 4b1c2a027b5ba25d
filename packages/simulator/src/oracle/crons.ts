// Judges cron triggers by what is stored: each tick starts its function once, in order, and of ticks
// that were missed the latest. It computes the ticks itself, from the programs.
import type { Change } from "@pawl/engine/changes";
import type { EventRecord, RunRecord } from "@pawl/engine/records";
import type { TriggerSchedule } from "@pawl/engine/schedule-records";
import type { Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

const tickEventName = "inngest/scheduled.timer";

export class CronJudge {
  readonly #mirror: Mirror;
  readonly #accuse: Accuse;
  /** Runs, by the id of a tick's event. */
  readonly #starts = new Map<string, Set<string>>();
  /** The last tick of each function, by its id. */
  readonly #last = new Map<string, number>();

  constructor(mirror: Mirror, accuse: Accuse) {
    this.#mirror = mirror;
    this.#accuse = accuse;
  }

  /** A batch was written and is in the mirror. `isCalm`: nothing can go wrong. */
  committed(changes: readonly Change[], isCalm: boolean): void {
    const ticks: EventRecord[] = [];
    for (const change of changes) {
      if (change.type === "event.put" && change.event.name === tickEventName) {
        ticks.push(change.event);
        this.#starts.set(change.event.id, new Set());
      }
    }
    for (const change of changes) {
      if (change.type === "run.put") this.#ran(change.run, ticks, isCalm);
      if (change.type === "schedule.put" && change.schedule.kind === "trigger")
        this.#goesOn(change.schedule);
    }
    for (const { id, ts } of ticks) {
      const runs = this.#starts.get(id)?.size ?? 0;
      if (runs !== 1) this.#accuse("tick-lost", `tick ${ts} (event ${id}) started ${runs} runs`);
    }
  }

  /** The tick that is waited for is the one behind the last that was taken. */
  #goesOn({ id, functionId, lastAt, nextAt }: TriggerSchedule): void {
    const everyMs = this.#mirror.programs.get(functionId)?.cronMs ?? 0;
    if (lastAt !== null && nextAt !== lastAt + everyMs)
      this.#accuse("tick-lost", `schedule ${id} waits for ${nextAt} behind ${lastAt}`);
  }

  #ran(run: RunRecord, ticks: readonly EventRecord[], isCalm: boolean): void {
    if (run.originalRunId !== null) return; // people started it again
    for (const eventId of run.eventIds) {
      const runs = this.#starts.get(eventId);
      if (runs === undefined || runs.has(run.id)) continue;
      runs.add(run.id);
      const event = ticks.find(({ id }) => id === eventId);
      if (event === undefined) this.#accuse("tick-repeated", `${eventId} started ${run.id} later`);
      else this.#judge(run.functionId, event, isCalm);
    }
  }

  #judge(functionId: string, { ts, receivedAt }: EventRecord, isCalm: boolean): void {
    const everyMs = this.#mirror.programs.get(functionId)?.cronMs;
    const last = this.#last.get(functionId) ?? null;
    this.#last.set(functionId, ts);
    if (everyMs === undefined || ts % everyMs !== 0)
      this.#accuse("tick-wrong", `${functionId} has no tick at ${ts}`);
    else if (last !== null && ts <= last)
      this.#accuse("tick-repeated", `${functionId} was started by tick ${ts} behind ${last}`);
    else if (ts !== receivedAt - (receivedAt % everyMs))
      this.#accuse("tick-wrong", `${functionId}: tick ${ts} at ${receivedAt} is not the latest`);
    else if (isCalm && last !== null && ts !== last + everyMs)
      this.#accuse("tick-lost", `${functionId}: no tick between ${last} and ${ts}`);
  }
}
