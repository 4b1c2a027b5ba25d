// Answers from memory what is waiting to be done.
import type { DueMail, DueQuery, DueResults } from "../store.ts";
import type { MemoryData } from "./memory-data.ts";
import { take, takeWhile } from "./take.ts";

/** The answers of all kinds, each made when its kind is asked for. */
export function answerDue(data: MemoryData, query: DueQuery): DueResults[DueQuery["kind"]] {
  switch (query.kind) {
    case "timers":
      return take(
        takeWhile(data.timers.ascending(null), (job) => job.dueAt <= query.until),
        query.limit,
      );
    case "schedules":
      return take(
        takeWhile(data.schedulesByTime.ascending(null), ({ dueAt }) => dueAt <= query.until),
        query.limit,
      ).map(({ id, dueAt }) => ({ scheduleId: id, dueAt }));
    case "queue":
      return take(data.queues.get(query.gate)?.ascending(null) ?? [], query.limit);
    case "lost":
      return take(data.leased.ascending(null), query.limit, (job) => job.epoch < query.epoch).map(
        ({ runId, jobId, dueAt, generation }) => ({ runId, jobId, dueAt, generation }),
      );
    case "mail":
      return take(data.mail, query.limit).map(
        ([mailId, message]): DueMail => ({ mailId, message }),
      );
  }
}
