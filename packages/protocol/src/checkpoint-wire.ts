// The body of an async checkpoint, `POST /v1/checkpoint/{runId}/async` (protocol.md 6.2): steps
// that an app finished while its call goes on. Whether they are current is for the engine.
import { type JsonText, jsonNull } from "./json-text.ts";
import { isJsonObject, ObjectReader, parseJson } from "./object-reader.ts";
import type { Opcode } from "./opcode.ts";
import { opcodesOf } from "./opcode-wire.ts";
import { ProtocolError } from "./protocol-error.ts";

export interface Checkpoint {
  /** As the body says; the path of the request says it too. */
  readonly runId: string | null;
  /** UUID of the function. */
  readonly functionId: string | null;
  /** `ctx.qi_id` of the call that is answered. */
  readonly qiId: string | null;
  /** The dispatch id of that call; null from SDKs that do not know it. */
  readonly requestId: string | null;
  readonly generation: number | null;
  /** When the app took up the call, ms since the epoch by the app's clock. */
  readonly requestStartedAt: number | null;
  readonly opcodes: readonly Opcode[];
}

/** Throws `json_invalid`, `checkpoint_invalid`, or `opcode_invalid` for one of its steps. */
export function readCheckpoint(body: string): Checkpoint {
  const value = parseJson(body);
  if (!isJsonObject(value)) {
    throw new ProtocolError("checkpoint_invalid", "A checkpoint must be a JSON object.");
  }
  // proof: parseJson accepted the text
  const reader = new ObjectReader(value, body as JsonText, "The checkpoint", "checkpoint_invalid");
  const steps = reader.get("steps");
  if (!Array.isArray(steps)) throw reader.wrong("steps", "an array of opcodes");
  return {
    runId: reader.string("run_id") || null,
    functionId: reader.string("fn_id") || null,
    qiId: reader.string("qi_id") || null,
    requestId: reader.string("request_id") || null,
    generation: readWhole(reader, "generation_id"),
    requestStartedAt: readWhole(reader, "request_started_at"),
    opcodes: opcodesOf(steps, reader.text("steps") ?? jsonNull),
  };
}

/** A whole number from 0, which some SDKs send as text because they copy it from a header. */
function readWhole(reader: ObjectReader, name: string): number | null {
  const value = reader.get(name);
  if (value === undefined || value === "") return null;
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number) || number < 0) {
    throw reader.wrong(name, "a number from 0");
  }
  return Math.trunc(number);
}
