// Rate limit: starts beyond a rate are skipped, and the run says so. `limit` starts may come at once
// (protocol.md 9, 12.14).
import { formatDuration } from "@pawl/protocol/duration";
import type { Draft } from "../draft.ts";
import type { EventRecord, FunctionRecord } from "../records.ts";
import { ruleKey } from "./key.ts";
import { use } from "./rate.ts";
import { flowOf } from "./rules.ts";

/** The key of the rate; null: the function has no rate limit. */
export function rateLimitKey(fn: FunctionRecord, event: EventRecord, at: number): string | null {
  const { rateLimit } = flowOf(fn);
  return rateLimit === null ? null : ruleKey("rate", fn.id, rateLimit.key, event, at);
}

/** Uses the rate. Why the run may not start; null when it may. */
export function passRateLimit(draft: Draft, fn: FunctionRecord, event: EventRecord): string | null {
  const { rateLimit } = flowOf(fn);
  const key = rateLimitKey(fn, event, draft.at);
  if (rateLimit === null || key === null) return null;
  const record = draft.gateRecord(key);
  const rate = { ...rateLimit, burst: rateLimit.limit };
  const tat = use(record?.kind === "rate" ? record.tat : 0, draft.at, rate);
  if (tat === null) {
    const each = rateLimit.key === null ? "" : ` for each value of ${rateLimit.key}`;
    return `rate limit: ${rateLimit.limit} runs in ${formatDuration(rateLimit.periodMs)}${each}`;
  }
  draft.putGate({ kind: "rate", key, tat });
  return null;
}
