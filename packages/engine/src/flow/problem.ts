// Why a function's flow control cannot work, as a sentence that says what to change. Asked at sync, so
// that nothing is registered whose limits would not hold (protocol.md 1.3, 10). What can be said
// without expressions is said by the protocol package, to SDKs as well.
import { flowLimitProblem } from "@pawl/protocol/flow-limits";
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
  const problem = flowLimitProblem(flow) ?? expressionProblem(flow);
  if (problem === null) return null;
  return { code: problem.code, message: `Function "${fn.slug}": ${problem.message}` };
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
      const message = `the expression "${source}" of ${field} cannot be used: ${error.message}`;
      return { code: "config_invalid", message };
    }
  }
  return null;
}
