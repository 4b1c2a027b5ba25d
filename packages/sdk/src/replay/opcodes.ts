// Writes what a call found or did as opcodes (protocol.md 2.5). Pure.
import type { JsonValue } from "@pawl/protocol/json-text";
import { sha1Hex } from "@pawl/protocol/sha1";
import { encodeValue, type EncodedValue } from "../values/encode.ts";
import type { WireError } from "../values/wire-error.ts";
import type { FoundStep, RunRequest, WaitManyRequest, WireOpcode } from "./step.ts";

/** When user code of a step ran, in ms since the epoch. */
export interface Span {
  readonly startedAt: number;
  readonly endedAt: number;
}

type Opts = Record<string, JsonValue>;

function base(step: FoundStep): Pick<WireOpcode, "id" | "displayName" | "userland"> {
  const { id, name } = step.request;
  return { id: step.hash, displayName: name, userland: { id, index: step.index } };
}

function optsOf({ request }: FoundStep, race: boolean): { opts?: Opts } {
  const opts: Opts = race ? { parallelMode: "race" } : {};
  if (request.kind === "run") addRunOpts(opts, request);
  if (request.kind === "wait") {
    opts["event"] = request.event;
    opts["timeout"] = request.timeout;
    if (request.expression !== null) opts["if"] = request.expression;
    if (request.lookback !== null) opts["lookback"] = request.lookback;
  }
  if (request.kind === "waitMany") addWaitManyOpts(opts, request);
  if (request.kind === "signal") {
    const { signal, timeout, conflict } = request;
    Object.assign(opts, { signal, timeout, conflict });
  }
  if (request.kind === "invoke") {
    opts["function_id"] = request.functionSlug;
    opts["payload"] = request.payload;
    if (request.timeout !== null) opts["timeout"] = request.timeout;
    opts["onCancel"] = request.onCancel;
  }
  if (request.kind === "gateway") Object.assign(opts, request.opts);
  return Object.keys(opts).length === 0 ? {} : { opts };
}

function addWaitManyOpts(opts: Opts, { mode, branches, timeout, lookback }: WaitManyRequest): void {
  opts["type"] = mode === "any" ? "step.waitForAny" : "step.waitForAll";
  opts["mode"] = mode;
  opts["events"] = branches.map(({ name, event, expression }) => ({
    name,
    event,
    ...(expression === null ? {} : { if: expression }),
  }));
  opts["timeout"] = timeout;
  if (lookback !== null) opts["lookback"] = lookback;
}

function addRunOpts(opts: Opts, request: RunRequest): void {
  if (request.type !== null) opts["type"] = request.type;
  if (request.retries !== null) opts["retries"] = request.retries;
  const input = inputOf(request.args);
  if (input !== null) opts["input"] = input;
}

/** The input is shown to people; arguments that cannot be written do not stop the step. */
function inputOf(args: readonly unknown[]): JsonValue {
  if (args.length === 0) return null;
  try {
    return encodeValue(args).data;
  } catch {
    return null;
  }
}

/** The op that asks the server to take a found step on. */
export function planStep(step: FoundStep, race: boolean): WireOpcode {
  const { request } = step;
  switch (request.kind) {
    case "run":
      return { ...base(step), op: "StepPlanned", name: request.name, ...optsOf(step, race) };
    case "sleep":
      return { ...base(step), op: "Sleep", name: request.until, ...optsOf(step, race) };
    case "wait":
      return { ...base(step), op: "WaitForEvent", name: request.event, ...optsOf(step, race) };
    case "waitMany":
      return { ...base(step), op: "WaitForEvents", ...optsOf(step, race) };
    case "signal":
      return { ...base(step), op: "WaitForSignal", name: request.signal, ...optsOf(step, race) };
    case "invoke":
      return { ...base(step), op: "InvokeFunction", ...optsOf(step, race) };
    case "gateway":
      return { ...base(step), op: request.op, ...optsOf(step, race) };
  }
}

/** A step ran and returned. */
export function stepRan(
  step: FoundStep,
  value: EncodedValue,
  span: Span,
  race: boolean,
): WireOpcode {
  return {
    ...base(step),
    op: "StepRun",
    ...optsOf(step, race),
    data: value.data,
    ...(value.types === null ? {} : { types: value.types }),
    timing: timing(span),
  };
}

/** An attempt of a step failed; `final`: it must not be tried again. */
export function stepThrew(
  step: FoundStep,
  error: WireError,
  final: boolean,
  span: Span,
  race: boolean,
): WireOpcode {
  const op = final ? "StepFailed" : "StepError";
  return { ...base(step), op, ...optsOf(step, race), error, timing: timing(span) };
}

/** The function returned. */
export function runCompleted(value: EncodedValue): WireOpcode {
  return {
    id: sha1Hex("complete"),
    op: "RunComplete",
    data: value.data,
    ...(value.types === null ? {} : { types: value.types }),
  };
}

/** The call has lasted long enough; the server shall call again. */
export function discoveryRequest(now: number): WireOpcode {
  return { id: sha1Hex(`discovery-request-${now}`), op: "DiscoveryRequest" };
}

/** The step that the server asked for was not met. */
export function stepNotFound(hash: string): WireOpcode {
  return { id: hash, op: "StepNotFound" };
}

function timing(span: Span): { a: number; b: number } {
  return { a: span.startedAt, b: span.endedAt - span.startedAt };
}
