// Why a function's flow control cannot work, as a sentence that says what to change. Asked at sync, so
// that nothing is registered whose limits would not hold (protocol.md 1.3, 10).
import { formatDuration } from "@pawl/protocol/duration";
import { readFlow, type FlowConfig } from "@pawl/protocol/flow-wire";
import type { JsonText } from "@pawl/protocol/json-text";
import { ProtocolError } from "@pawl/protocol/protocol-error";
import type { EngineCode } from "../codes.ts";
import { compileExpression } from "../expression/compile.ts";
import { ExpressionError } from "../expression/expression-error.ts";

export interface FlowProblem {
  readonly code: EngineCode;
  readonly message: string;
}

const second = 1_000;
const day = 86_400 * second;
const concurrencyLimitsMax = 2;
const cancelRulesMax = 5;
const batchSizeMax = 100;
const batchTimeoutMaxMs = 60 * second;
const debounceMaxMs = 7 * day;

/** The first problem of a function; null when there is none. */
export function flowProblem(fn: {
  readonly slug: string;
  readonly config: JsonText;
}): FlowProblem | null {
  let flow: FlowConfig;
  try {
    flow = readFlow(fn.slug, fn.config);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { code: "config_invalid", message: error.message };
  }
  for (const find of [
    comboProblem,
    concurrencyProblem,
    batchProblem,
    periodProblem,
    expressionProblem,
  ]) {
    const problem = find(flow);
    if (problem === null) continue;
    return { code: problem.code, message: `Function "${fn.slug}": ${problem.message}` };
  }
  return null;
}

/** Options that contradict each other. */
function comboProblem(flow: FlowConfig): FlowProblem | null {
  if (flow.batch === null) return null;
  const others = [
    flow.debounce === null ? null : "debounce",
    flow.rateLimit === null ? null : "rateLimit",
    flow.priority === null ? null : "priority",
  ].filter((name) => name !== null);
  if (others.length === 0) return null;
  return problem(
    "combo_unsupported",
    `batchEvents cannot be combined with ${others.join(", ")}, which are about single events. Remove one of them.`,
  );
}

function concurrencyProblem({ concurrency }: FlowConfig): FlowProblem | null {
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

function batchProblem({ batch }: FlowConfig): FlowProblem | null {
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
function periodProblem(flow: FlowConfig): FlowProblem | null {
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
    `cancelOn has ${flow.cancel.length} entries; at most ${cancelRulesMax} are possible. Use a wildcard in the event name, or combine expressions with ||.`,
  );
}

/** Every expression must compile, or a key would be the same for all events. */
function expressionProblem(flow: FlowConfig): FlowProblem | null {
  const sources: (readonly [string, string | null | undefined])[] = [
    ...flow.concurrency.map(({ key }) => ["concurrency.key", key] as const),
    ["throttle.key", flow.throttle?.key],
    ["rateLimit.key", flow.rateLimit?.key],
    ["idempotency", flow.idempotency],
    ["debounce.key", flow.debounce?.key],
    ["batchEvents.key", flow.batch?.key],
    ["batchEvents.if", flow.batch?.condition],
    ["priority.run", flow.priority],
    ["singleton.key", flow.singleton?.key],
    ...flow.cancel.map(({ condition }) => ["cancelOn.if", condition] as const),
  ];
  for (const [field, source] of sources) {
    if (source === null || source === undefined) continue;
    try {
      compileExpression(source);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return problem(
        "config_invalid",
        `the expression "${source}" of ${field} cannot be used: ${error.message}`,
      );
    }
  }
  return null;
}

/** What is wrong with a duration that must be from one second to a maximum. */
function outside(field: string, ms: number | null | undefined, maxMs: number): string | null {
  if (ms === null || ms === undefined || (ms >= second && ms <= maxMs)) return null;
  const most = maxMs === Infinity ? "" : ` and at most ${formatDuration(maxMs)}`;
  return `${field} is ${formatDuration(ms)}; it must be at least ${formatDuration(second)}${most}.`;
}

function problem(code: EngineCode, message: string): FlowProblem {
  return { code, message };
}
