// Metadata of a run as a row of `metadata`.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { MetadataPlace, MetadataRecord } from "@pawl/engine/metadata-records";
import type { JsonText } from "@pawl/protocol/json-text";
import type { MetadataScope } from "@pawl/protocol/metadata-wire";
import { numberOf, packHash, textOf, unpackHash } from "../codec.ts";
import type { PackedId } from "../codec.ts";
import { isNotRetired } from "./run-row.ts";

/** Stored by their place here. */
const scopes: readonly MetadataScope[] = ["run", "step", "step_attempt", "extended_trace"];

const keyColumns = ["scope", "step", "attempt", "span", "kind"];
const columns = [...keyColumns, "updated_at", "value"].join(", ");

/** Takes the values of `encodeMetadata`. */
export const metadataInsert = `INSERT OR REPLACE INTO metadata (run, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Takes the values of `encodePlace`. */
export const metadataDelete = `DELETE FROM metadata WHERE run = ? AND ${keyColumns.map((name) => `${name} = ?`).join(" AND ")}`;

/** Rows for `decodeMetadata`. */
export const metadataOfRun = `SELECT ${columns} FROM metadata WHERE run = ?1 ${isNotRetired}`;

/** The values of the key. */
export function encodePlace(run: PackedId, place: MetadataPlace): SQLInputValue[] {
  return [
    run,
    scopes.indexOf(place.scope),
    place.stepId === null ? "" : packHash(place.stepId),
    place.attempt ?? -1,
    place.spanId ?? "",
    place.kind,
  ];
}

/** The values of one row. */
export function encodeMetadata(run: PackedId, record: MetadataRecord): SQLInputValue[] {
  return [...encodePlace(run, record), record.updatedAt, record.values];
}

/** The record of one row. */
export function decodeMetadata(runId: string, row: readonly SQLOutputValue[]): MetadataRecord {
  const stepId = unpackHash(row[1]);
  const attempt = numberOf(row[2]);
  const spanId = textOf(row[3]);
  return {
    runId,
    scope: scopes[numberOf(row[0])] ?? "run",
    stepId: stepId === "" ? null : stepId,
    attempt: attempt < 0 ? null : attempt,
    spanId: spanId === "" ? null : spanId,
    kind: textOf(row[4]),
    updatedAt: numberOf(row[5]),
    values: textOf(row[6]) as JsonText, // proof: written from a JsonText
  };
}
