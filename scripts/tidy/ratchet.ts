// Compares what was measured with the accepted exceptions of tidy-ratchet.json, whose numbers may
// only fall. It must not know how anything is measured.
import type { Finding } from "./finding.ts";
import type { Measure } from "./sizes.ts";

/** Accepted numbers by key, one table a kind. */
export interface Ratchet {
  readonly functionLines: Readonly<Record<string, number>>;
  readonly fileLines: Readonly<Record<string, number>>;
  /** Of files with tests, which are lists of examples and may be longer. */
  readonly testFileLines: Readonly<Record<string, number>>;
  /** Assertions without proof, by path. */
  readonly unproved: Readonly<Record<string, number>>;
}

export type RatchetKind = keyof Ratchet;

/** What is accepted everywhere, without an entry. */
export const limits: Readonly<Record<RatchetKind, number>> = {
  functionLines: 70,
  fileLines: 400,
  testFileLines: 600,
  unproved: 0,
};

export interface Verdict {
  readonly findings: readonly Finding[];
  /** The table with every number at what was measured, and entries dropped that are not needed. */
  readonly lowered: Readonly<Record<string, number>>;
}

/** Judges one kind; a number above its entry is a finding, and so is an entry above its number. */
export function judgeKind(
  kind: RatchetKind,
  measures: readonly Measure[],
  accepted: Readonly<Record<string, number>>,
): Verdict {
  const findings: Finding[] = [];
  const lowered: Record<string, number> = {};
  const worst = worstByKey(measures);
  for (const { key, line, lines } of worst.values()) {
    const allowed = accepted[key] ?? limits[kind];
    const path = key.replace(/#.*/, "");
    if (lines > allowed) {
      const message = `${lines} where ${allowed} is the limit${inFunction(key)}`;
      findings.push({ path, line, rule: kind, message });
    }
    if (key in accepted && lines > limits[kind]) lowered[key] = Math.min(lines, allowed);
  }
  for (const [key, allowed] of Object.entries(accepted)) {
    const now = lowered[key];
    if (now === allowed) continue;
    const message = `${key} has fallen from ${allowed} to ${now ?? "within the limit"}: run node scripts/tidy.ts --update`;
    findings.push({ path: "scripts/tidy-ratchet.json", line: 1, rule: kind, message });
  }
  return { findings, lowered };
}

/** Overloads and namesakes share a key: the largest speaks for them. */
function worstByKey(measures: readonly Measure[]): Map<string, Measure> {
  const worst = new Map<string, Measure>();
  for (const measure of measures) {
    const known = worst.get(measure.key);
    if (known === undefined || known.lines < measure.lines) worst.set(measure.key, measure);
  }
  return worst;
}

function inFunction(key: string): string {
  const name = key.split("#", 2)[1];
  return name === undefined ? "" : `: ${name}`;
}

/** Throws TypeError when the text is not a ratchet. */
export function readRatchet(text: string): Ratchet {
  const value: unknown = JSON.parse(text);
  const table = (kind: RatchetKind): Record<string, number> => {
    const found: unknown =
      typeof value === "object" && value !== null ? Reflect.get(value, kind) : undefined;
    if (!isTable(found))
      throw new TypeError(`tidy-ratchet.json: "${kind}" must map keys to numbers`);
    return found;
  };
  return {
    functionLines: table("functionLines"),
    fileLines: table("fileLines"),
    testFileLines: table("testFileLines"),
    unproved: table("unproved"),
  };
}

function isTable(value: unknown): value is Record<string, number> {
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).every((entry) => typeof entry === "number");
}
