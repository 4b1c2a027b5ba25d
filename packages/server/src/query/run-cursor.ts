// A place in a list of runs or events as one text, which callers hand back to get the next page. It
// must not know the lists.
import { isUlid } from "@pawl/protocol/ulid";
import type { RunRecord } from "@pawl/engine/records";
import type { RunFilter, RunPosition } from "@pawl/store/store";
import { ServerError } from "../server-error.ts";

/** The place behind a run of a list by this time. */
export function cursorOf(run: RunRecord, by: RunFilter["by"]): string {
  return cursorAt({ at: by === "queuedAt" ? 0 : (run[by] ?? 0), runId: run.id }, by);
}

/** A place as a cursor. */
export function cursorAt({ at, runId }: RunPosition, by: RunFilter["by"]): string {
  return by === "queuedAt" ? runId : `${String(at)}_${runId}`;
}

/** The place of a cursor. Throws `parameter_invalid` for a text that is none of a list by this time. */
export function positionOf(cursor: string, by: RunFilter["by"]): RunPosition {
  const [, at = "", runId = ""] = /^(?:(\d{1,16})_)?([^_]+)$/.exec(cursor) ?? [];
  if (isUlid(runId) && (at === "") === (by === "queuedAt")) return { at: Number(at), runId };
  throw foreignCursor();
}

/** Throws `parameter_invalid` for a cursor that no list of events gave out: they are internal ids. */
export function checkEventCursor(cursor: string | null): void {
  if (cursor !== null && !isUlid(cursor)) throw foreignCursor();
}

/** The error for a cursor of another list, or of none. */
export function foreignCursor(): ServerError {
  return new ServerError("parameter_invalid", "The cursor is not one that this list gave out.");
}
