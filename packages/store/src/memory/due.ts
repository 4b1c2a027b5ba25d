// Answers from memory what is waiting to be done.
import { appsShard, shardOf } from "@pawl/engine/shard";
import type { DueJob, DueMail, DueQuery, DueResults } from "../store.ts";
import type { MemoryData } from "./memory-data.ts";
import { take, takeWhile } from "./take.ts";

/** The answers of all kinds, each made when its kind is asked for. */
export function answerDue(data: MemoryData, query: DueQuery): DueResults[DueQuery["kind"]] {
  const { limit, shards } = query;
  const wants = (shard: () => number): boolean => shards === null || shards.includes(shard());
  const wantsJob = ({ runId }: DueJob): boolean => wants(() => shardOf(runId));
  switch (query.kind) {
    case "timers": {
      const due = takeWhile(data.timers.ascending(null), (job) => job.dueAt <= query.until);
      return take(due, limit, wantsJob);
    }
    case "schedules": {
      if (!wants(() => appsShard)) return [];
      const due = takeWhile(
        data.schedulesByTime.ascending(null),
        ({ dueAt }) => dueAt <= query.until,
      );
      return take(due, limit);
    }
    case "queue":
      return take(data.queues.get(query.gate)?.ascending(null) ?? [], limit, wantsJob);
    case "lost":
      return take(
        data.leased.ascending(null),
        limit,
        (job) => job.epoch < query.epoch && wantsJob(job),
      ).map(({ runId, jobId, dueAt, generation }) => ({ runId, jobId, dueAt, generation }));
    case "mail":
      return take(data.mail, limit, ([, { shard }]) => wants(() => shard)).map(
        ([mailId, { message }]): DueMail => ({ mailId, message }),
      );
  }
}
