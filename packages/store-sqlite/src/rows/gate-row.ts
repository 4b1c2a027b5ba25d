// What flow control remembers as a row of `gate`.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { GateRecord } from "@pawl/engine/records";
import { numberOf, packUlid, textOf, unpackUlid } from "../codec.ts";

const kinds: readonly GateRecord["kind"][] = ["rate", "open", "holder", "signal"];

/** Takes the values of `encodeGate`. */
export const gateInsert =
  "INSERT OR REPLACE INTO gate (key, kind, run, tat, job) VALUES (?, ?, ?, ?, ?)";

/** Rows for `decodeGate`. */
export const gateOfKey = "SELECT kind, run, tat, job FROM gate WHERE key = ?";

/** The values of one row. */
export function encodeGate(gate: GateRecord): SQLInputValue[] {
  const kind = kinds.indexOf(gate.kind);
  return gate.kind === "rate"
    ? [gate.key, kind, null, gate.tat, null]
    : [gate.key, kind, packUlid(gate.runId), null, gate.kind === "signal" ? gate.jobId : null];
}

/** The record of one row. */
export function decodeGate(key: string, row: readonly SQLOutputValue[]): GateRecord {
  const kind = kinds[numberOf(row[0])] ?? "rate";
  if (kind === "rate") return { kind, key, tat: numberOf(row[2]) };
  const runId = unpackUlid(row[1]);
  return kind === "signal" ? { kind, key, runId, jobId: textOf(row[3]) } : { kind, key, runId };
}
