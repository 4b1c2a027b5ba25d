// Turns what was measured into tables, as Markdown for a file and for the terminal alike. It must
// not know how anything is measured.
import { readFileSync } from "node:fs";
import { arch, cpus, totalmem } from "node:os";
import type { Curve } from "./growth.ts";
import type { Flavour } from "./lib/system.ts";
import { spread, type Spread } from "./lib/statistics.ts";
import type { Options } from "./options.ts";
import type { Figures } from "./workloads.ts";

/** One figure in one round. */
export interface Sample {
  readonly workload: string;
  readonly figure: string;
  readonly flavour: Flavour;
  readonly value: number;
  /** Share of the machine that other work took. */
  readonly foreign: number;
}

export interface Results {
  readonly options: Options;
  /** When it began and ended, ms since the epoch. */
  readonly begunAt: number;
  readonly endedAt: number;
  readonly sqlite: string;
  readonly floors: readonly Figures[];
  readonly samples: readonly Sample[];
  readonly curves: readonly Curve[];
}

/** What the server has to reach, by workload and figure; the reasons are in README.md. */
const targets: Readonly<Record<string, string>> = {
  "W1 p50 ms": "<= 10",
  "W2 steps/s": "inngest >= 1,500",
  "W3 ms": "<= 25 with workers",
  "W5 last/first": "<= 1.05",
  "W6 accepted/s": ">= 8,000",
  "W6 server bytes of memory each": "<= 64",
  "W6 bytes of disk each": "<= 600",
  "W9 single events/s": ">= 10,000",
  "W9 batched events/s": ">= 40,000",
  "server cold start ms": "<= 400",
  "server idle MB": "<= 90",
};

/** The whole report. */
export function report(results: Results): string {
  return [
    heading(results),
    workloadTable(results),
    floorTable(results),
    ...results.curves.map(curveTable),
  ].join("\n\n");
}

function heading({ options, begunAt, endedAt, sqlite, samples }: Results): string {
  const [cpu] = cpus();
  const foreign = spread(samples.map((sample) => sample.foreign));
  const minutes = Math.round((endedAt - begunAt) / 60_000);
  return [
    `- ${new Date(begunAt).toISOString().slice(0, 16)} UTC, ${minutes} min, ${options.rounds} round(s) at scale ${options.scale}`,
    `- ${cpus().length} x ${cpu?.model ?? "CPU"} (${arch()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${systemName()}`,
    `- Node ${process.version}, SQLite ${sqlite}: WAL, synchronous=FULL; nothing is acknowledged before it is synced`,
    `- other work took ${percent(foreign.median)} (${percent(foreign.min)}-${percent(foreign.max)}) of the machine meanwhile`,
  ].join("\n");
}

function systemName(): string {
  return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
}

function workloadTable({ options, samples }: Results): string {
  const rows = new Map<string, Map<Flavour, number[]>>();
  for (const { workload, figure, flavour, value } of samples) {
    const name = `${workload} ${figure}`;
    const row = rows.get(name) ?? new Map<Flavour, number[]>();
    rows.set(name, row);
    row.set(flavour, [...(row.get(flavour) ?? []), value]);
  }
  const lines = [...rows].map(([name, row]) => {
    const cells = options.flavours.map((flavour) => cell(row.get(flavour)));
    return [name, ...cells, targets[name] ?? ""];
  });
  return table(["figure", ...options.flavours, "target"], lines);
}

function floorTable({ floors }: Results): string {
  const names = Object.keys(floors[0] ?? {});
  const lines = names.map((name) => [name, cell(floors.map((floor) => floor[name] ?? Number.NaN))]);
  return table(["floor of this machine, same run", "median (min-max)"], lines);
}

function curveTable({ title, flavour, points }: Curve): string {
  const names = Object.keys(points[0]?.figures ?? {});
  const lines = points.map(({ size, figures }) => [
    plain(size),
    ...names.map((name) => plain(figures[name] ?? Number.NaN)),
  ]);
  return `${title}, flavour ${flavour}:\n\n${table(["", ...names], lines)}`;
}

function cell(values: readonly number[] | undefined): string {
  if (values === undefined || values.length === 0) return "";
  const { median, min, max, rounds }: Spread = spread(values);
  return rounds === 1 ? plain(median) : `${plain(median)} (${plain(min)}-${plain(max)})`;
}

/** Three digits are all that a figure on a shared machine is worth; whole ones from 100 on. */
function plain(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [row(head), row(widths.map((width) => "-".repeat(width))), ...lines.map(row)].join("\n");
}
