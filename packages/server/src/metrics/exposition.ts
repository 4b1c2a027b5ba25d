// Writes measurements in the text format that Prometheus reads. It must not know what they mean.
import type { Histogram } from "./histogram.ts";

/** One series of a counter or gauge. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Family = {
  readonly name: string;
  readonly help: string;
} & (
  | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | { readonly type: "histogram"; readonly histogram: Histogram }
);

/** A gauge of one series. */
export function gauge(name: string, help: string, value: number): Family {
  return { name, help, type: "gauge", samples: [{ value }] };
}

/** A counter of one series. */
export function counter(name: string, help: string, value: number): Family {
  return { name, help, type: "counter", samples: [{ value }] };
}

/** The content type of the format. */
export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** The text of some families, in their order. */
export function writeExposition(families: readonly Family[]): string {
  return families.map(writeFamily).join("");
}

function writeFamily(family: Family): string {
  const { name, help, type } = family;
  const lines =
    family.type === "histogram"
      ? histogramLines(name, family.histogram)
      : family.samples.map(({ labels = {}, value }) => line(name, labels, value));
  return [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

function histogramLines(name: string, histogram: Histogram): readonly string[] {
  const { bounds, count, sum } = histogram;
  return [
    ...histogram
      .cumulative()
      .map((below, index) => line(`${name}_bucket`, { le: String(bounds[index] ?? "") }, below)),
    line(`${name}_bucket`, { le: "+Inf" }, count),
    line(`${name}_sum`, {}, sum),
    line(`${name}_count`, {}, count),
  ];
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`,
  );
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${String(value)}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
