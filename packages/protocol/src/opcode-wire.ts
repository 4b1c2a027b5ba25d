// Reading opcodes (protocol.md 2.5) as the SDKs of every language write them. Tolerant of what
// they vary (case of keys, where a value sits, nulls for absent fields, unknown keys), strict on
// what the engine decides by. It must not know what an opcode does to a run.
import { type Moment, parseDuration, parseMoment } from "./duration.ts";
import { readDeferAbort, readDeferAdd } from "./defer-wire.ts";
import { readError } from "./error-wire.ts";
import {
  type GatewayKind,
  gatewayOptsForPeople,
  gatewayStepTypes,
  readGatewayOpts,
  writeGatewayRequest,
} from "./gateway-wire.ts";
import { jsonNull, type JsonText, type JsonValue } from "./json-text.ts";
import { readOpcodeMetadata } from "./metadata-wire.ts";
import {
  elementPairs,
  isJsonObject,
  type JsonObject,
  ObjectReader,
  parseJson,
} from "./object-reader.ts";
import type { Opcode, OpcodeFace, StepFailedOpcode, StepRunOpcode, WaitBranch } from "./opcode.ts";
import { ProtocolError } from "./protocol-error.ts";
import { readMeta } from "./session-wire.ts";

const idCharsMax = 512;

/**
 * Reads an array of opcodes, or a single one. Throws `json_invalid`, or `opcode_invalid` with a
 * message that names the place in the list, the kind of opcode and the field.
 */
export function readOpcodes(text: string): Opcode[] {
  return opcodesOf(parseJson(text), text as JsonText); // proof: parseJson accepted the text
}

/** `readOpcodes` for JSON that is already parsed; `value` must be what `source` parses to. */
export function opcodesOf(value: JsonValue, source: JsonText): Opcode[] {
  if (isJsonObject(value)) return [readOpcode(value, source, 0)];
  if (!Array.isArray(value)) {
    throw new ProtocolError("opcode_invalid", "Expected an array of opcodes, or one opcode.");
  }
  const opcodes: Opcode[] = [];
  for (const [element, text, index] of elementPairs(value, source)) {
    if (!isJsonObject(element)) {
      throw new ProtocolError("opcode_invalid", `Opcode ${index} must be an object.`);
    }
    opcodes.push(readOpcode(element, text, index));
  }
  return opcodes;
}

interface Reading {
  readonly reader: ObjectReader;
  /** `opts`, or an empty object when there are none. */
  readonly opts: ObjectReader;
  readonly base: OpcodeFace;
  readonly wireOp: string;
}

function readOpcode(value: JsonObject, source: JsonText, index: number): Opcode {
  const label = typeof value["op"] === "string" ? ` (${value["op"].slice(0, 40)})` : "";
  const reader = new ObjectReader(value, source, `Opcode ${index}${label}`, "opcode_invalid");
  const wireOp = reader.string("op");
  if (wireOp === null || wireOp === "") throw reader.wrong("op", "the name of an operation");
  const read = readers.get(wireOp) ?? readUnsupported;
  const opts = reader.object("opts") ?? reader.emptyObject("opts");
  return read({ reader, opts, base: readBase(reader, opts, wireOp), wireOp });
}

/** Opcodes about the run rather than a step: some SDKs send them without an id. */
const runOps = new Set([
  "RunComplete",
  "SyncRunComplete",
  "DiscoveryRequest",
  "StepNotFound",
  "None",
]);
/** Opcodes of steps that are tried again, and may bring their own number of retries. */
const retriedOps = new Set([
  "StepRun",
  "Step",
  "StepError",
  "StepFailed",
  "StepPlanned",
  "Gateway",
  "AIGateway",
]);

function readBase(reader: ObjectReader, opts: ObjectReader, wireOp: string): OpcodeFace {
  const id = reader.string("id") ?? "";
  if (id === "" && !runOps.has(wireOp)) throw reader.wrong("id", "a hashed step id");
  if (id.length > idCharsMax) throw reader.wrong("id", `at most ${idCharsMax} characters`);
  const userland = reader.object("userland");
  const userId = userland?.string("id") ?? null;
  const stepType = opts.get("type");
  const metadata = readOpcodeMetadata(reader);
  return {
    id,
    displayName: reader.string("displayName") || userId || id || wireOp,
    userId,
    userIndex: userland === null ? 0 : readIndex(userland),
    race: isRace(opts),
    stepType: typeof stepType === "string" ? stepType : null,
    opts: reader.objectText("opts"),
    retries: retriedOps.has(wireOp) ? readRetries(opts) : null,
    ...(metadata === null ? null : { metadata }),
  };
}

/** TypeScript and Python write `race`, Go `Race`. */
function isRace(opts: ObjectReader): boolean {
  const mode = opts.get("parallelMode");
  return typeof mode === "string" && mode.toLowerCase() === "race";
}

function readIndex(userland: ObjectReader): number {
  const index = userland.number("index") ?? 0;
  if (!Number.isSafeInteger(index) || index < 0) {
    throw userland.wrong("index", "a whole number from 0");
  }
  return index;
}

function readRetries(opts: ObjectReader): number | null {
  const retries = opts.number("retries");
  if (retries !== null && (!Number.isSafeInteger(retries) || retries < 0)) {
    throw opts.wrong("retries", "a whole number from 0");
  }
  return retries;
}

// A map, not an object: the app chooses the key, and `constructor` is no opcode.
const readers: ReadonlyMap<string, (reading: Reading) => Opcode> = new Map([
  ["StepRun", readStepRun],
  ["Step", readStepRun],
  ["StepError", readStepError],
  ["StepFailed", readStepFailed],
  ["StepPlanned", ({ base }) => ({ ...base, op: "StepPlanned" })],
  ["Sleep", readSleep],
  ["WaitForEvent", readWaitForEvent],
  ["WaitForEvents", readWaitForEvents],
  ["WaitForSignal", readWaitForSignal],
  ["InvokeFunction", readInvokeFunction],
  ["Gateway", (reading) => readGateway(reading, "fetch")],
  ["AIGateway", (reading) => readGateway(reading, "infer")],
  ["RunComplete", ({ reader, base }) => ({ ...base, op: "RunComplete", memo: memoOf(reader) })],
  ["DeferAdd", readDeferAdd],
  ["DeferAbort", readDeferAbort],
  // How an endpoint's last checkpoint says the same (protocol.md 6.3).
  ["SyncRunComplete", ({ reader, base }) => ({ ...base, op: "RunComplete", memo: memoOf(reader) })],
  ["DiscoveryRequest", ({ base }) => ({ ...base, op: "DiscoveryRequest" })],
  ["StepNotFound", ({ base }) => ({ ...base, op: "StepNotFound" })],
  ["None", ({ base }) => ({ ...base, op: "None" })],
] satisfies [string, (reading: Reading) => Opcode][]);

function readUnsupported({ base, wireOp }: Reading): Opcode {
  return { ...base, op: "Unsupported", wireOp };
}

function readStepRun(reading: Reading): StepRunOpcode | StepFailedOpcode {
  const { reader, base, wireOp } = reading;
  if (reader.get("data") === undefined && reader.get("error") !== undefined) {
    return readStepFailed(reading);
  }
  const memo = wireOp === "Step" ? wrappedMemoOf(reader) : memoOf(reader);
  return { ...base, op: "StepRun", memo, ...readTiming(reader) };
}

/**
 * The value for the `steps` map: `{"data": …}`; with the `types` that the `pawl` SDK sends beside
 * `data`, `{"data": …, "types": …}`.
 */
function memoOf(reader: ObjectReader): JsonText {
  const types = reader.get("types") === undefined ? null : reader.text("types");
  return memoText(reader.text("data"), types);
}

/** The memo of a value: `null` stands for a missing one, as SDKs mean it. */
export function memoText(data: JsonText | null, types: JsonText | null): JsonText {
  const sidecar = types === null ? "" : `,"types":${types}`;
  return `{"data":${data ?? jsonNull}${sidecar}}` as JsonText; // proof: an object of JSON values
}

/** `Step`, the older opcode, may bring its data in the wrapper already. */
function wrappedMemoOf(reader: ObjectReader): JsonText {
  const data = reader.get("data");
  const text = reader.text("data");
  const wrapped =
    isJsonObject(data) && Object.hasOwn(data, "data") && Object.keys(data).length === 1;
  return wrapped && text !== null ? text : memoOf(reader);
}

/** From this number on a start counts ns; it is the year 2286 in ms and 1973 in ns. */
const nanosecondsFrom = 1e16;

/** `timing: {a, b}`: start and length, in ns or in ms. For people only, so anything odd is null. */
function readTiming(reader: ObjectReader): Pick<StepRunOpcode, "startedAt" | "endedAt"> {
  const timing = reader.get("timing");
  const start = isJsonObject(timing) ? timing["a"] : undefined;
  const length = isJsonObject(timing) ? timing["b"] : undefined;
  if (typeof start !== "number" || !Number.isFinite(start) || start <= 0) {
    return { startedAt: null, endedAt: null };
  }
  const unitsPerMs = start >= nanosecondsFrom ? 1e6 : 1;
  const startedAt = Math.round(start / unitsPerMs);
  const lengthMs =
    typeof length === "string"
      ? parseDuration(length)
      : typeof length === "number" && Number.isFinite(length) && length >= 0
        ? Math.round(length / unitsPerMs)
        : null;
  return { startedAt, endedAt: lengthMs === null ? null : startedAt + lengthMs };
}

function readStepError({ reader, opts, base }: Reading): Opcode {
  const error = reader.get("error");
  const noRetry =
    (isJsonObject(error) && error["noRetry"] === true) || opts.get("noRetry") === true;
  return { ...base, op: "StepError", error: errorOf(reader), noRetry };
}

function readStepFailed({ reader, base }: Reading): StepFailedOpcode {
  return { ...base, op: "StepFailed", error: errorOf(reader) };
}

function errorOf(reader: ObjectReader): JsonText {
  const message = "The step failed, and the app did not say why.";
  return readError(reader.get("error") ?? null, reader.text("error") ?? jsonNull, { message });
}

/** `opts.duration` (Python, Go) beats `name` (TypeScript), which in Go is the step's id. */
function readSleep({ reader, opts, base }: Reading): Opcode {
  const inOpts = opts.string("duration");
  const until = parseMoment(inOpts ?? reader.string("name") ?? "");
  if (until === null) {
    const expected = "a duration such as 1h30m, or a timestamp";
    throw inOpts === null ? reader.wrong("name", expected) : opts.wrong("duration", expected);
  }
  return { ...base, op: "Sleep", until };
}

function readWaitForEvent({ reader, opts, base }: Reading): Opcode {
  const event = opts.string("event") ?? reader.string("name");
  if (event === null || event === "") throw opts.wrong("event", "the name of an event");
  return {
    ...base,
    op: "WaitForEvent",
    event,
    expression: opts.string("if") || null,
    timeout: readTimeout(opts) ?? { forMs: 0 },
    lookback: readLookback(opts),
  };
}

/** Our own opcode: `opts {mode, events: [{name, event, if?}], timeout, lookback?}`. */
function readWaitForEvents({ opts, base }: Reading): Opcode {
  const mode = opts.string("mode");
  if (mode !== "any" && mode !== "all") throw opts.wrong("mode", '"any" or "all"');
  return {
    ...base,
    op: "WaitForEvents",
    mode,
    branches: readBranches(opts),
    timeout: readTimeout(opts) ?? { forMs: 0 },
    lookback: readLookback(opts),
  };
}

function readBranches(opts: ObjectReader): readonly WaitBranch[] {
  const events = opts.get("events");
  if (!Array.isArray(events) || events.length === 0) {
    throw opts.wrong("events", "a list of at least one event");
  }
  const names = new Set<string>();
  return events.map((value: JsonValue, index) => {
    const { name, event, if: condition = null } = isJsonObject(value) ? value : {};
    const fits =
      isName(name) && isName(event) && (condition === null || typeof condition === "string");
    if (!fits || names.has(name)) {
      const rule = `{name, event, if?} with a name of its own, of 1 to ${idCharsMax} characters`;
      throw opts.wrong(`events[${index}]`, rule);
    }
    names.add(name);
    return { name, event, expression: condition || null };
  });
}

function isName(value: JsonValue | undefined): value is string {
  return typeof value === "string" && value !== "" && value.length <= idCharsMax;
}

function readWaitForSignal({ opts, base }: Reading): Opcode {
  const signal = opts.string("signal");
  if (signal === null || signal === "") throw opts.wrong("signal", "the name of a signal");
  const conflict = opts.string("conflict") || "fail";
  if (conflict !== "fail" && conflict !== "replace") {
    throw opts.wrong("conflict", '"fail" or "replace"');
  }
  return {
    ...base,
    op: "WaitForSignal",
    signal,
    timeout: readTimeout(opts) ?? { forMs: 0 },
    onConflict: conflict,
  };
}

function readTimeout(opts: ObjectReader): Moment | null {
  const text = opts.string("timeout");
  if (text === null) return null;
  const timeout = parseMoment(text);
  if (timeout === null) throw opts.wrong("timeout", "a duration such as 1h30m, or a timestamp");
  return timeout;
}

function readLookback(opts: ObjectReader): number | "run" | null {
  const lookback = opts.get("lookback");
  if (lookback === undefined || lookback === "run") return lookback ?? null;
  const ms = typeof lookback === "string" ? parseDuration(lookback) : lookback;
  if (typeof ms !== "number" || !Number.isFinite(ms) || ms < 0) {
    throw opts.wrong("lookback", 'a duration, a number of ms, or "run"');
  }
  return Math.trunc(ms);
}

function readInvokeFunction({ opts, base }: Reading): Opcode {
  const functionSlug = opts.string("function_id");
  if (functionSlug === null || functionSlug === "") {
    throw opts.wrong("function_id", "the id of a function");
  }
  const payload = opts.object("payload");
  return {
    ...base,
    op: "InvokeFunction",
    functionSlug,
    data: payload?.objectText("data") ?? ("{}" as JsonText), // proof: an empty object is JSON
    user: payload?.objectText("user") ?? null,
    version: payload?.string("v") || null,
    meta: payload === null ? null : readMeta(payload),
    // An empty text is no timeout here: only waits may expire at once.
    timeout: opts.get("timeout") === "" ? null : readTimeout(opts),
    onCancel: readOnCancel(opts),
  };
}

/** The secrets of a request stay in it: what people see of the step is made without them. */
function readGateway({ opts, base }: Reading, kind: GatewayKind): Opcode {
  return {
    ...base,
    op: "Gateway",
    kind,
    stepType: gatewayStepTypes[kind],
    opts: gatewayOptsForPeople(opts, kind),
    request: writeGatewayRequest(readGatewayOpts(opts, kind)),
  };
}

function readOnCancel(opts: ObjectReader): "cancel" | "abandon" | null {
  const onCancel = opts.string("onCancel");
  if (onCancel === null || onCancel === "cancel" || onCancel === "abandon") return onCancel;
  throw opts.wrong("onCancel", '"cancel" or "abandon"');
}
