// Where a run lives: in the shard of the gate that its start has to pass, so that one owner decides
// what flow control keeps and everything that happens to the runs it is kept for. Run ids are made
// so that they hash to that shard.
import type { DraftHost } from "../draft-host.ts";
import type { EventRecord, FunctionRecord } from "../records.ts";
import { owns, shardOf } from "../shard.ts";
import type { StateView } from "../state/view.ts";
import { flowOf } from "./rules.ts";

/** Limits that functions share have their entity in common. */
const sharedGate = "gate:shared";

/**
 * The key of the gate that decides a start. Functions without flow control have one for each
 * event, which is enough to start them once by event id; so their runs spread over all shards.
 */
export function gateKey(
  { settings }: Pick<StateView, "settings">,
  fn: FunctionRecord,
  event: EventRecord,
): string {
  const flow = flowOf(fn);
  if (flow.concurrency.some(({ scope }) => scope !== "fn")) return sharedGate;
  const isLimited =
    flow.concurrency.length > 0 ||
    flow.throttle !== null ||
    flow.rateLimit !== null ||
    flow.idempotency !== null ||
    flow.debounce !== null ||
    flow.batch !== null ||
    flow.singleton !== null ||
    settings.backlogMax !== null;
  return isLimited ? `gate:${fn.id}` : `gate:${fn.id}:${event.externalId ?? event.id}`;
}

/** Whether the gate of a start is owned by this process. */
export function startsHere(
  state: Pick<StateView, "settings" | "owned">,
  fn: FunctionRecord,
  event: EventRecord,
): boolean {
  return state.owned === null || owns(state.owned, shardOf(gateKey(state, fn, event)));
}

/** A fresh id for a run of the function with the event. */
export function newRunId(draft: DraftHost, fn: FunctionRecord, event: EventRecord): string {
  return draft.random.ulidIn(draft.at, shardOf(gateKey(draft.state, fn, event)));
}
