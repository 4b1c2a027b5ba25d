// Which flow control can work at all: combinations, counts and ranges (protocol.md 1.3, 10). SDKs ask
// when a function is defined, the server asks when it is registered, and both say the same sentence.
// Expressions are not looked at. Must run on any runtime: no imports but durations.
import { formatDuration } from "./duration.ts";
import type { FlowConfig } from "./flow-wire.ts";

/** The closed list of what can be wrong with flow control (protocol.md 1.3). */
export type FlowLimitCode =
  /** Two options contradict each other. */
  | "combo_unsupported"
  /** Too many concurrency limits, or one without the key that it needs. */
  | "concurrency_limit_invalid"
  | "batch_size_invalid"
  | "batch_timeout_invalid"
  /** Another time or count is out of its range. */
  | "config_invalid";

export interface FlowLimitProblem {
  readonly code: FlowLimitCode;
  /** A sentence without the name of the function: what is wrong, and what to change. */
  readonly message: string;
}

/** The part of flow control that is judged here. */
export type FlowLimits = Pick<
  FlowConfig,
  "concurrency" | "priority" | "startTimeoutMs" | "finishTimeoutMs"
> & {
  readonly batch: Pick<NonNullable<FlowConfig["batch"]>, "sizeMax" | "timeoutMs"> | null;
  readonly throttle: Pick<NonNullable<FlowConfig["throttle"]>, "periodMs"> | null;
  readonly rateLimit: Pick<NonNullable<FlowConfig["rateLimit"]>, "periodMs"> | null;
  readonly debounce: Pick<NonNullable<FlowConfig["debounce"]>, "periodMs" | "timeoutMs"> | null;
  readonly cancel: readonly unknown[];
};

const second = 1_000;
const day = 86_400 * second;
const concurrencyLimitsMax = 2;
const cancelRulesMax = 5;
const batchSizeMax = 100;
const batchTimeoutMaxMs = 60 * second;
const debounceMaxMs = 7 * day;

/** The first problem; null when there is none. */
export function flowLimitProblem(flow: FlowLimits): FlowLimitProblem | null {
  return (
    comboProblem(flow) ?? concurrencyProblem(flow) ?? batchProblem(flow) ?? periodProblem(flow)
  );
}

/** Options that contradict each other. */
function comboProblem(flow: FlowLimits): FlowLimitProblem | null {
  if (flow.batch === null) return null;
  const others = (["debounce", "rateLimit", "priority"] as const).filter(
    (name) => flow[name] !== null,
  );
  if (others.length === 0) return null;
  return problem(
    "combo_unsupported",
    `batchEvents cannot be combined with ${others.join(", ")}, which are about single events. Remove one of them.`,
  );
}

function concurrencyProblem({ concurrency }: FlowLimits): FlowLimitProblem | null {
  const code = "concurrency_limit_invalid";
  if (concurrency.length > concurrencyLimitsMax) {
    return problem(
      code,
      `concurrency has ${concurrency.length} limits; at most ${concurrencyLimitsMax} are possible. Combine keys in one expression, or remove one.`,
    );
  }
  const shared = concurrency.find(({ scope, key }) => scope !== "fn" && key === null);
  if (shared === undefined) return null;
  return problem(
    code,
    `a concurrency limit of scope "${shared.scope}" needs a key, which names what the functions share. Add one, for example key: "'mail'", or remove the scope.`,
  );
}

function batchProblem({ batch }: FlowLimits): FlowLimitProblem | null {
  if (batch === null) return null;
  if (batch.sizeMax < 2 || batch.sizeMax > batchSizeMax) {
    return problem(
      "batch_size_invalid",
      `batchEvents.maxSize is ${batch.sizeMax}; it must be from 2 to ${batchSizeMax}.`,
    );
  }
  const range = outside("batchEvents.timeout", batch.timeoutMs, batchTimeoutMaxMs);
  return range === null ? null : problem("batch_timeout_invalid", range);
}

/** Times and numbers out of their ranges. */
function periodProblem(flow: FlowLimits): FlowLimitProblem | null {
  const found =
    outside("throttle.period", flow.throttle?.periodMs, Infinity) ??
    outside("rateLimit.period", flow.rateLimit?.periodMs, day) ??
    outside("debounce.period", flow.debounce?.periodMs, debounceMaxMs) ??
    outside("debounce.timeout", flow.debounce?.timeoutMs, Infinity) ??
    outside("timeouts.start", flow.startTimeoutMs, Infinity) ??
    outside("timeouts.finish", flow.finishTimeoutMs, Infinity);
  if (found !== null) return problem("config_invalid", found);
  if (flow.cancel.length <= cancelRulesMax) return null;
  return problem(
    "config_invalid",
    `cancelOn has ${flow.cancel.length} entries; at most ${cancelRulesMax} are possible. Combine the expressions of one event with ||, or send one event for several reasons.`,
  );
}

/** What is wrong with a duration that must be from one second to a maximum. */
function outside(field: string, ms: number | null | undefined, maxMs: number): string | null {
  if (ms === null || ms === undefined || (ms >= second && ms <= maxMs)) return null;
  const most = maxMs === Infinity ? "" : ` and at most ${formatDuration(maxMs)}`;
  return `${field} is ${formatDuration(ms)}; it must be at least ${formatDuration(second)}${most}.`;
}

function problem(code: FlowLimitCode, message: string): FlowLimitProblem {
  return { code, message };
}
