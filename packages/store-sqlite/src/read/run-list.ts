// Lists and counts runs. By id: one walk down an index for each function and status, merged, so
// that no walk meets what does not match. By another time: one walk down that time's index, in
// which all filters are decided without looking up the row. It must not know who asks.
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { RunRecord } from "@pawl/engine/records";
import { idFromTime } from "@pawl/store/position";
import type { ListQuery, RunFilter } from "@pawl/store/store";
import { numberOf, packUlid } from "../codec.ts";
import { decodeRun, runColumns, statusNumber, statusNumbers } from "../rows/run-row.ts";
import type { WordReader } from "../words.ts";
import { Rows } from "./rows.ts";
import type { Row } from "./rows.ts";

type RunsQuery = Extract<ListQuery, { type: "runs" }>;

/** One walk: an index, the conditions on it, and their values. */
interface Walk {
  readonly index: string;
  readonly where: readonly string[];
  readonly values: readonly SQLInputValue[];
}

/** A filter with its names as numbers; null lists: any. */
interface Numbered {
  readonly statuses: readonly number[] | null;
  readonly functions: readonly number[] | null;
  readonly apps: readonly number[] | null;
}

/** Texts differ by the numbers in their filters, so they are not remembered without end. */
const preparedMax = 200;

const timeColumn = { startedAt: "started_at", endedAt: "ended_at" } as const;
const timeIndex = { startedAt: "run_by_start", endedAt: "run_by_end" } as const;

export class RunLister {
  readonly #database: DatabaseSync;
  readonly #words: WordReader;
  readonly #prepared = new Map<string, Rows>();

  constructor(database: DatabaseSync, words: WordReader) {
    this.#database = database;
    this.#words = words;
  }

  list(query: RunsQuery): readonly RunRecord[] {
    const { filter, oldestFirst, limit } = query;
    const order = oldestFirst ? "ASC" : "DESC";
    const at = filter.by === "queuedAt" ? "0" : `r.${timeColumn[filter.by]}`;
    const orderBy = filter.by === "queuedAt" ? `r.id ${order}` : `${at} ${order}, r.id ${order}`;
    const found: Row[] = [];
    const walks = this.#walks(filter);
    for (const walk of walks) {
      const { index, where, values } = behind(walk, query);
      const rows = this.#rows(
        `SELECT r.id FROM run AS r INDEXED BY ${index}${conditions(where)} ORDER BY ${orderBy} LIMIT ?`,
      );
      found.push(...rows.all(...values, limit));
    }
    if (walks.length > 1) {
      found.sort((a, b) => (oldestFirst ? 1 : -1) * comparePacked(a[0], b[0]));
    }
    const row = this.#rows(`SELECT ${runColumns} FROM run AS r WHERE r.id = ?`);
    return found.slice(0, Math.max(limit, 0)).flatMap(([id]) => {
      const run = id === undefined ? undefined : row.first(id);
      return run === undefined ? [] : [decodeRun(run, this.#words)];
    });
  }

  count(filter: RunFilter): number {
    let count = 0;
    for (const { index, where, values } of this.#walks(filter)) {
      const sql = `SELECT count(*) FROM run AS r INDEXED BY ${index}${conditions(where)}`;
      count += numberOf(this.#rows(sql).first(...values)?.[0]);
    }
    return count;
  }

  #rows(sql: string): Rows {
    let rows = this.#prepared.get(sql);
    if (rows !== undefined) return rows;
    if (this.#prepared.size >= preparedMax) this.#prepared.clear();
    rows = new Rows(this.#database, sql);
    this.#prepared.set(sql, rows);
    return rows;
  }

  #walks(filter: RunFilter): readonly Walk[] {
    const numbered = this.#numbered(filter);
    const { statuses, functions, apps } = numbered;
    if ([statuses, functions, apps].some((list) => list?.length === 0)) return [];
    return filter.by === "queuedAt"
      ? walksById(filter, numbered)
      : [walkByTime(filter, filter.by, numbered)];
  }

  #numbered({ statuses, functionIds, appIds }: RunFilter): Numbered {
    return {
      statuses: statuses === null ? null : [...new Set(statuses.map(statusNumber))],
      functions: this.#numbers(functionIds),
      apps: this.#numbers(appIds),
    };
  }

  /** Names that were never written are left out: nothing is under them. */
  #numbers(names: readonly string[] | null): readonly number[] | null {
    if (names === null) return null;
    return [...new Set(names)].flatMap((name) => this.#words.find(name) ?? []);
  }
}

function walksById(filter: RunFilter, { statuses, functions, apps }: Numbered): readonly Walk[] {
  const where: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, value: SQLInputValue): void => {
    where.push(condition);
    values.push(value);
  };
  if (filter.from !== null) add("r.id >= ?", packUlid(idFromTime(filter.from)));
  if (filter.until !== null) add("r.id < ?", packUlid(idFromTime(filter.until)));
  if (apps !== null) where.push(isAmong("r.app", apps));
  const numbers = statuses ?? statusNumbers;
  if (functions === null) {
    return numbers.map((status) => ({
      index: "run_by_status",
      where: ["r.status = ?", ...where],
      values: [status, ...values],
    }));
  }
  return functions.flatMap((fn) =>
    numbers.map((status) => ({
      index: "run_by_function",
      where: ["r.function = ?", "r.status = ?", ...where],
      values: [fn, status, ...values],
    })),
  );
}

function walkByTime(
  { from, until }: RunFilter,
  by: "startedAt" | "endedAt",
  { statuses, functions, apps }: Numbered,
): Walk {
  const column = `r.${timeColumn[by]}`;
  const where = [`${column} BETWEEN ? AND ?`];
  const values: SQLInputValue[] = [
    from ?? Number.MIN_SAFE_INTEGER,
    (until ?? Number.MAX_SAFE_INTEGER) - 1,
  ];
  const lists = [
    ["r.status", statuses],
    ["r.function", functions],
    ["r.app", apps],
  ] as const;
  for (const [name, list] of lists) {
    if (list !== null) where.push(isAmong(name, list));
  }
  return { index: timeIndex[by], where, values };
}

/** The walk, begun behind the place where the last page ended. */
function behind(walk: Walk, { filter, behind: place, oldestFirst }: RunsQuery): Walk {
  if (place === null) return walk;
  const sign = oldestFirst ? ">" : "<";
  const id = packUlid(place.runId);
  if (filter.by === "queuedAt") {
    return { ...walk, where: [...walk.where, `r.id ${sign} ?`], values: [...walk.values, id] };
  }
  const condition = `(r.${timeColumn[filter.by]}, r.id) ${sign} (?, ?)`;
  return {
    ...walk,
    where: [...walk.where, condition],
    values: [...walk.values, place.at, id],
  };
}

/**
 * The plus keeps the condition a test: it must not become the order of the walk. The numbers are
 * part of the text because a walk over a million entries feels each look into a list of values.
 */
function isAmong(column: string, numbers: readonly number[]): string {
  const [only] = numbers;
  if (numbers.length === 1 && only !== undefined) return `+${column} = ${only}`;
  return `+${column} IN (${numbers.join(", ")})`;
}

function conditions(where: readonly string[]): string {
  return where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`;
}

/** The order of SQLite: text before blobs, both by their bytes. */
function comparePacked(a: Row[number] | undefined, b: Row[number] | undefined): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "string" ? -1 : 1;
}
