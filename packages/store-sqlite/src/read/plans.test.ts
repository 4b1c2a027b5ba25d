import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { migrate } from "../migrate.ts";
import { earlyEvent, eventWalk } from "./search.ts";

/** Hot questions and the index that must answer each, without sorting. */
const plans: readonly (readonly [sql: string, index: string])[] = [
  ["SELECT run, id FROM job WHERE timer_at <= 1 ORDER BY timer_at, run, id LIMIT 1", "job_timer"],
  ["SELECT run, id FROM job WHERE gate = 'g' ORDER BY queued_since, run, id LIMIT 1", "job_queue"],
  [
    "SELECT count(*) FROM job INDEXED BY job_queue WHERE gate = 'g' AND (queued_since, run, id) < (1, x'00', 'a')",
    "COVERING INDEX job_queue (gate=? AND (queued_since,run,id)<(?,?,?))",
  ],
  ["SELECT id FROM schedule WHERE due_at <= 1 ORDER BY due_at, id LIMIT 1", "schedule_by_time"],
  [
    "SELECT run FROM wait WHERE event = 1 AND path = 1 AND hash = x'00' AND (run, job) > (x'00', 'a') ORDER BY run, job LIMIT 1",
    "PRIMARY KEY (event=? AND path=? AND hash=? AND (run,job)>(?,?))",
  ],
  [
    "SELECT id FROM event AS e WHERE e.name = 1 AND e.received_at BETWEEN 1 AND 2 ORDER BY e.received_at, e.id LIMIT 1",
    "event_by_name",
  ],
  [
    "SELECT id FROM event AS e INDEXED BY event_by_name WHERE e.received_at BETWEEN 1 AND 2 AND e.name = 1 AND (e.received_at, e.id) < (1, x'00') ORDER BY e.received_at DESC, e.id DESC LIMIT 1",
    "event_by_name",
  ],
  [
    "SELECT r.id, r.ended_at, r.bytes, r.records FROM run AS r INDEXED BY run_by_age WHERE r.status = 2 AND r.bytes IS NOT NULL AND r.ended_at < 1 ORDER BY r.ended_at, r.id LIMIT 1",
    "COVERING INDEX run_by_age (status=? AND ended_at<?)",
  ],
  [
    "SELECT min(ended_at) FROM run INDEXED BY run_by_age WHERE status = 2 AND bytes IS NOT NULL",
    "SEARCH run USING COVERING INDEX run_by_age (status=?)",
  ],
  [
    "SELECT f.event, octet_length(e.data) FROM event_free AS f CROSS JOIN event AS e ON e.id = f.event WHERE f.received_at < 1 ORDER BY f.received_at, f.event LIMIT 1",
    "PRIMARY KEY (received_at<?)",
  ],
  [
    "SELECT id FROM run AS r INDEXED BY run_by_function WHERE r.status = 1 AND r.id < x'00' AND r.function = 1 ORDER BY r.id DESC LIMIT 1",
    "COVERING INDEX run_by_function (function=? AND status=? AND id<?)",
  ],
  [
    "SELECT r.id FROM run AS r INDEXED BY run_by_status WHERE r.status = 1 AND r.id >= x'00' AND +r.app = 1 AND r.id < x'01' ORDER BY r.id DESC LIMIT 1",
    "COVERING INDEX run_by_status (status=? AND id>? AND id<?)",
  ],
  [
    "SELECT r.id FROM run AS r INDEXED BY run_by_start WHERE r.started_at BETWEEN 1 AND 2 AND +r.status IN (1, 2) AND (r.started_at, r.id) < (1, x'01') ORDER BY r.started_at DESC, r.id DESC LIMIT 1",
    "COVERING INDEX run_by_start",
  ],
  [
    "SELECT count(*) FROM run AS r INDEXED BY run_by_end WHERE r.ended_at BETWEEN 1 AND 2 AND +r.function = 1",
    "COVERING INDEX run_by_end",
  ],
  [literal(eventWalk("arrival", true)), "SEARCH e USING INDEX event_by_arrival"],
  [literal(eventWalk("name", true)), "event_by_name (name=? AND received_at>? AND received_at<?)"],
  [literal(earlyEvent), "COVERING INDEX event_by_name (name=? AND received_at<?)"],
  [
    literal(eventWalk("key", false)),
    "SEARCH k USING PRIMARY KEY (name=? AND path=? AND hash=? AND received_at>? AND received_at<?)",
  ],
  [
    literal(eventWalk("key", true)),
    "SEARCH k USING PRIMARY KEY (name=? AND path=? AND hash=? AND received_at>? AND (received_at,event)<(?,?))",
  ],
];

/** The plan does not depend on the values. */
function literal(sql: string): string {
  return sql.replaceAll("?", "1");
}

test("hot questions are answered by an index in its order", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, "memory");
  for (const [sql, index] of plans) {
    const plan = database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => String(row["detail"]))
      .join("\n");
    assert.ok(plan.includes(index), `${sql}\n${plan}`);
    assert.ok(!plan.includes("TEMP B-TREE"), `${sql}\n${plan}`);
  }
  database.close();
});
