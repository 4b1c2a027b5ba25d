// The flow control of a function in force: read from its registered configuration, once per version.
import { readFlow, type FlowConfig } from "@pawl/protocol/flow-wire";
import { ProtocolError } from "@pawl/protocol/protocol-error";
import type { FunctionRecord } from "../records.ts";

const known = new WeakMap<FunctionRecord, FlowConfig>();

const none: FlowConfig = {
  concurrency: [],
  throttle: null,
  rateLimit: null,
  idempotency: null,
  debounce: null,
  batch: null,
  priority: null,
  singleton: null,
  cancel: [],
  startTimeoutMs: null,
  finishTimeoutMs: null,
};

/** What a function asks for; nothing when it is not registered (any more). */
export function flowOf(fn: FunctionRecord | undefined): FlowConfig {
  if (fn === undefined) return none;
  let flow = known.get(fn);
  if (flow === undefined) {
    flow = read(fn);
    known.set(fn, flow);
  }
  return flow;
}

/** A configuration that a version without these rules took in may be unusable: it has no effect. */
function read(fn: FunctionRecord): FlowConfig {
  try {
    return readFlow(fn.slug, fn.config);
  } catch (error) {
    if (error instanceof ProtocolError) return none;
    throw error;
  }
}
