// The sizes of a store as lines for people: the disk, records by table, runs by status, and what
// retention would remove. It must not know how they were found out.
import type { RetentionPolicies, RetentionPolicy } from "@pawl/server/loop/retention-policies";
import { formatDuration } from "@pawl/protocol/duration";
import type { KindSize, ListResults, Sizes } from "@pawl/store/store";

export interface RetentionFindings {
  /** In force with the options that the doctor was given. */
  readonly policies: RetentionPolicies;
  /** What they would remove now. Events that only go with these runs are not among them. */
  readonly beyond: ListResults["beyond"];
}

/** The lines, indented by two. */
export function sizeReport(sizes: Sizes, retention: RetentionFindings): readonly string[] {
  return [
    ...columns([
      ["on disk", bytesText(sizes.bytes)],
      ["of it in the log", bytesText(sizes.logBytes)],
      ["of it free for new records", bytesText(sizes.freeBytes)],
    ]),
    "",
    ...columns([["table", "records", "on disk"], ...tableRows(sizes)]),
    "",
    ...columns([
      ["kind", "count", "bytes", "oldest", "kept", "would go now"],
      ...Object.entries(sizes.kinds).map(([kind, size]) => kindRow(kind, size, retention)),
    ]),
    "",
  ];
}

function tableRows({ tables, tableBytes }: Sizes): readonly (readonly string[])[] {
  const rows = Object.entries(tables).map(([name, count]) => [
    name,
    String(count),
    tableBytes === null ? "" : bytesText(tableBytes[name] ?? 0),
  ]);
  return tableBytes === null ? rows : [...rows, ["other", "", bytesText(tableBytes["other"] ?? 0)]];
}

function kindRow(
  kind: string,
  { count, bytes, oldest }: KindSize,
  { policies, beyond }: RetentionFindings,
): readonly string[] {
  const policy = Object.entries(policies).find(([name]) => name === kind)?.[1];
  const gone = beyond.find(({ of }) => of === kind);
  return [
    kind,
    String(count),
    bytesText(bytes),
    oldest === null ? "" : new Date(oldest).toISOString(),
    policy === undefined ? "while they go on" : policyText(policy),
    gone === undefined ? "" : `${String(gone.count)} (${bytesText(gone.bytes)})`,
  ];
}

function policyText({ ageMs, countMax, bytesMax }: RetentionPolicy): string {
  const limits = [
    ...(ageMs === null ? [] : [ageText(ageMs)]),
    ...(countMax === null ? [] : [String(countMax)]),
    ...(bytesMax === null ? [] : [bytesText(bytesMax)]),
  ];
  return limits.length === 0 ? "for ever" : limits.join(", ");
}

const dayMs = 86_400_000;

/** In days, as the option has them, when it is whole ones. */
function ageText(ms: number): string {
  return ms % dayMs === 0 ? `${String(ms / dayMs)}d` : formatDuration(ms);
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** To one digit behind the point, in the largest unit of which there is one. */
export function bytesText(bytes: number): string {
  let rest = bytes;
  let unit = 0;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? String(rest) : rest.toFixed(1)} ${units[unit] ?? ""}`;
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries())
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")}`.trimEnd(),
  );
}
