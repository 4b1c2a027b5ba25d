// People want something done to many runs. The shell looks for the runs and acts on them with commands of their
// own; here is kept what was asked for, and how far it has come, so that any process can go on.
import type { BulkCreated } from "../bulk-commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { BulkRecord } from "../bulk-records.ts";
import type { StateView } from "../state/view.ts";

export function bulkCreated(state: StateView, command: BulkCreated): Decision {
  const draft = new Draft(state, command);
  // The same command again, by somebody who could not be sure of the first.
  const known = state.bulk(command.bulk.id);
  if (known !== undefined) return draft.decide({ ok: true, value: { type: "bulk", bulk: known } });
  const bulk: BulkRecord = {
    ...command.bulk,
    createdAt: draft.at,
    state: "active",
    endedAt: null,
    cursor: null,
    underWay: [],
    examined: 0,
    matched: 0,
    done: 0,
    failed: 0,
    problem: null,
  };
  draft.write({ type: "bulk.put", bulk });
  return draft.decide({ ok: true, value: { type: "bulk", bulk } });
}
