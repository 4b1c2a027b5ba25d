// Reads the option `retention`: limits like `failed.age=90d`, as texts or, in a file, as nested
// keys. It must not know what the limits do.
import { parseDuration } from "@pawl/protocol/duration";
import { retainedKinds } from "@pawl/store/retained";
import type { RetainedKind } from "@pawl/engine/records";
import type { RetentionPolicy } from "../loop/retention-policies.ts";
import { nearestName } from "./nearest.ts";

/** What is chosen for each kind; the rest follows from `retention-days`. */
export type ChosenRetention = { readonly [K in RetainedKind]?: Partial<RetentionPolicy> };

export type RetentionReading =
  | { readonly ok: true; readonly value: ChosenRetention }
  | { readonly ok: false; readonly hint: string };

const limitFields = { age: "ageMs", count: "countMax", bytes: "bytesMax" } as const;
type LimitName = keyof typeof limitFields;
const limitNames = Object.keys(limitFields) as readonly LimitName[]; // proof: keys of that very object

const unitBytes: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

class Unreadable extends Error {}

/** Text, a list of texts, or `{failed: {age: "90d"}}`; the hint of a refusal names what is wrong. */
export function readRetention(raw: unknown): RetentionReading {
  try {
    const chosen: Partial<Record<RetainedKind, Partial<RetentionPolicy>>> = {};
    for (const [kindName, limitName, value] of itemsOf(raw)) {
      const kind = known(kindName, retainedKinds, "kind");
      const field = limitFields[known(limitName, limitNames, "limit")];
      const before = chosen[kind] ?? {};
      if (field in before) throw new Unreadable(`${kindName}.${limitName} is given twice.`);
      chosen[kind] = { ...before, [field]: valueOf(limitName, value) };
    }
    return { ok: true, value: chosen };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, hint: error.message };
    throw error;
  }
}

type Item = readonly [kind: string, limit: string, value: string];

function itemsOf(raw: unknown): readonly Item[] {
  if (typeof raw === "string") return [itemOf(raw)];
  if (Array.isArray(raw)) return raw.map((item) => itemOf(String(item)));
  return membersOf(raw, "retention").flatMap(([kind, limits]) =>
    membersOf(limits, kind).map(([limit, value]): Item => [kind, limit, String(value)]),
  );
}

function membersOf(value: unknown, name: string): readonly (readonly [string, unknown])[] {
  if (typeof value === "object" && value !== null) return Object.entries(value);
  throw new Unreadable(`${name} holds no keys and values.`);
}

function itemOf(text: string): Item {
  const [, kind = "", limit = "", value = ""] = /^([^.=]+)\.([^.=]+)=(.*)$/.exec(text) ?? [];
  if (kind !== "") return [kind, limit, value];
  throw new Unreadable(`"${text}" has no kind, limit and value.`);
}

function known<T extends string>(name: string, names: readonly T[], what: string): T {
  const found = names.find((candidate) => candidate === name);
  if (found !== undefined) return found;
  const nearest = nearestName(name, names);
  const hint = nearest === null ? `use one of ${names.join(", ")}.` : `did you mean "${nearest}"?`;
  throw new Unreadable(`There is no ${what} "${name}"; ${hint}`);
}

function valueOf(limit: string, text: string): number | null {
  if (text === "never") return null;
  if (limit === "age") return ageOf(text);
  if (limit === "count") return countOf(text);
  return bytesOf(text);
}

function ageOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null && ms >= 1_000) return ms;
  throw new Unreadable(`"${text}" is no age: write a duration from 1s, like 12h, 90d or 1w.`);
}

function countOf(text: string): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new Unreadable(`"${text}" is no count: write a whole number from 1, like 10000.`);
}

function bytesOf(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const size = unitBytes[unit];
  const bytes = size === undefined ? 0 : Math.floor(Number(number) * size);
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  const units = Object.keys(unitBytes);
  const nearest =
    units.find((candidate) => candidate.toLowerCase() === unit.toLowerCase()) ??
    (unit === "" ? undefined : nearestName(unit, units));
  const hint =
    nearest === undefined || nearest === null ? "" : ` Did you mean ${number}${nearest}?`;
  throw new Unreadable(
    `"${text}" is no size: write a number and one of ${units.join(", ")}, like 5GB.${hint}`,
  );
}
