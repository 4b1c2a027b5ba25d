// The tables with what belongs to a run and stays after its work: by them a run is weighed, deleted,
// and taken away in pieces. It must not know how any of this is done.

export interface PartTable {
  readonly name: string;
  /** Columns that name a row of a known run. */
  readonly key: readonly string[];
  /** SQL for the bytes of a row's payloads; never null. */
  readonly payload: string;
}

/** In the order in which the parts of a run go. */
export const partTables: readonly PartTable[] = [
  { name: "step", key: ["place"], payload: bytesOf("memo", "opts") },
  { name: "defer", key: ["run", "id"], payload: bytesOf("input", "meta") },
  { name: "attempt", key: ["run", "started_at", "step", "attempt"], payload: bytesOf("error") },
  {
    name: "metadata",
    key: ["run", "scope", "step", "attempt", "span", "kind"],
    payload: bytesOf("value"),
  },
  { name: "user_span", key: ["run", "id"], payload: bytesOf("head", "details") },
  { name: "output", key: ["run"], payload: bytesOf("output") },
];

function bytesOf(...columns: readonly string[]): string {
  return columns.map((column) => `ifnull(octet_length(${column}), 0)`).join(" + ");
}
