// Searches by expression: walks an order of events or runs, along the index that fits, and tests one
// record at a time, so that memory holds no more than what is found.
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { EventRecord, RunRecord } from "@pawl/engine/records";
import type { JsonText } from "@pawl/protocol/json-text";
import type { Arrival } from "@pawl/store/position";
import { orderRuns, runPlace } from "@pawl/store/run-filter";
import {
  eventTest,
  indexedDemand,
  runTest,
  searchPage,
  stretchesOf,
  type IndexedSince,
  type Stretch,
} from "@pawl/store/search";
import type { ListQuery, ListResults } from "@pawl/store/store";
import { numberOf, packHash, packUlid, textOf } from "../codec.ts";
import { decodeEvent, eventColumns } from "../rows/event-row.ts";
import { decodeRun, runColumns } from "../rows/run-row.ts";
import type { WordReader } from "../words.ts";
import { Rows } from "./rows.ts";
import type { RunLister } from "./run-list.ts";

/** Runs that are listed at once. */
const runsPerLook = 200;

/** An event that came before its name was indexed. */
export const earlyEvent =
  "SELECT 1 FROM event INDEXED BY event_by_name WHERE name = ? AND received_at <= ? LIMIT 1";

/** The runs of the events under a key, each once. */
const runsOfKey =
  "SELECT DISTINCT l.run FROM event_key AS k CROSS JOIN run_event AS l ON l.event = k.event" +
  " WHERE k.name = ? AND k.path = ? AND k.hash = ?";

/** How many events are under a key, counted up to a limit. */
const eventsOfKey =
  "SELECT count(*) FROM (SELECT 1 FROM event_key WHERE name = ? AND path = ? AND hash = ? LIMIT ?)";

export class Searcher {
  readonly #database: DatabaseSync;
  readonly #words: WordReader;
  readonly #runs: RunLister;

  constructor(database: DatabaseSync, words: WordReader, runs: RunLister) {
    this.#database = database;
    this.#words = words;
    this.#runs = runs;
  }

  /** `below` is the place behind which the page begins. */
  events(
    query: Extract<ListQuery, { type: "searchEvents" }>,
    below: Arrival | null,
  ): ListResults["searchEvents"] {
    const stretches = stretchesOf(query, this.#indexedSince);
    const test = eventTest(query.expression, query.at);
    return searchPage(this.#walk(stretches, below), query, test, ({ id }) => id);
  }

  runs(query: Extract<ListQuery, { type: "searchRuns" }>): ListResults["searchRuns"] {
    const { test, readsOutput } = runTest(query.expression, query.at);
    const event = new Rows(this.#database, `SELECT ${eventColumns} FROM event AS e WHERE e.id = ?`);
    const output = new Rows(this.#database, "SELECT output FROM output WHERE run = ?");
    const look = (run: RunRecord) => {
      const events = run.eventIds.flatMap((id) => {
        const row = event.first(packUlid(id));
        return row === undefined ? [] : [decodeEvent(row, this.#words)];
      });
      const row = readsOutput ? output.first(packUlid(run.id)) : undefined;
      return test(run, events, row === undefined ? null : (textOf(row[0]) as JsonText)); // proof: written from a JsonText
    };
    const runs = this.#indexedRuns(query) ?? this.#runsBehind(query);
    return searchPage(runs, query, look, (run) => runPlace(run, query.filter));
  }

  readonly #indexedSince: IndexedSince = (event, path) => {
    const sql = "SELECT since FROM wait_path WHERE event = ? AND path = ?";
    const row = new Rows(this.#database, sql).first(event, path);
    return row === undefined ? null : numberOf(row[0]);
  };

  /** The runs that the index leaves to be tested; null when it does not have all events, or too many. */
  #indexedRuns(query: Extract<ListQuery, { type: "searchRuns" }>): readonly RunRecord[] | null {
    const indexed = indexedDemand(query, null, this.#indexedSince);
    if (indexed === null) return null;
    const [name, path] = [indexed.name, indexed.key.path].map((text) => this.#words.find(text));
    if (name === null || name === undefined || path === null || path === undefined) return null;
    const ask = (sql: string) => new Rows(this.#database, sql);
    const early = ask(earlyEvent).first(name, indexed.since);
    if (early !== undefined) return null;
    const place = [name, path, packHash(indexed.key.hash)] as const;
    // A value of many events and no run is walked past only so far.
    const events = numberOf(ask(eventsOfKey).first(...place, query.scanMax + 1)?.[0]);
    if (events > query.scanMax) return null;
    const ids = ask(runsOfKey).all(...place);
    const run = ask(`SELECT ${runColumns} FROM run AS r WHERE r.id = ?`);
    const runs = ids.flatMap(([id]) => {
      const row = id === undefined ? undefined : run.first(id);
      return row === undefined ? [] : [decodeRun(row, this.#words)];
    });
    return orderRuns(runs, query);
  }

  *#runsBehind(query: Extract<ListQuery, { type: "searchRuns" }>): Generator<RunRecord, void> {
    const { filter, oldestFirst } = query;
    let { behind } = query;
    for (;;) {
      const listed = { type: "runs", filter, behind, oldestFirst, limit: runsPerLook } as const;
      const runs = this.#runs.list(listed);
      yield* runs;
      const last = runs.at(-1);
      if (last === undefined || runs.length < runsPerLook) return;
      behind = runPlace(last, filter);
    }
  }

  *#walk(stretches: readonly Stretch[], below: Arrival | null): Generator<EventRecord, void> {
    for (const stretch of stretches) {
      const asked = this.#ask(stretch, below);
      if (asked === null) continue;
      const rows = new Rows(this.#database, asked.sql);
      for (const row of rows.each(...asked.values)) yield decodeEvent(row, this.#words);
    }
  }

  /** Null: nothing was ever written under the name or path. */
  #ask(
    { name, key, from, until }: Stretch,
    below: Arrival | null,
  ): { readonly sql: string; readonly values: readonly SQLInputValue[] } | null {
    const order = eventOrder(name !== null, key !== null);
    const values: SQLInputValue[] = [
      from ?? Number.MIN_SAFE_INTEGER,
      until ?? Number.MAX_SAFE_INTEGER,
    ];
    if (name !== null) {
      const word = this.#words.find(name);
      if (word === null) return null;
      values.push(word);
    }
    if (key !== null) {
      const path = this.#words.find(key.path);
      if (path === null) return null;
      values.push(path, packHash(key.hash));
    }
    if (below !== null) values.push(below.receivedAt, packUlid(below.id));
    return { sql: eventWalk(order, below !== null), values };
  }
}

export type EventOrder = "arrival" | "name" | "key";

function eventOrder(hasName: boolean, hasKey: boolean): EventOrder {
  return hasKey ? "key" : hasName ? "name" : "arrival";
}

/** Newest first, along the index of the order. */
export function eventWalk(order: EventOrder, isBelow: boolean): string {
  const [source, place, conditions] = walks[order];
  const below = isBelow ? ` AND (${place}) < (?, ?)` : "";
  const [time = "", id = ""] = place.split(", ");
  return (
    `SELECT ${eventColumns} FROM ${source} WHERE ${time} BETWEEN ? AND ?${conditions}${below}` +
    ` ORDER BY ${time} DESC, ${id} DESC`
  );
}

const walks: Readonly<
  Record<EventOrder, readonly [source: string, place: string, conditions: string]>
> = {
  arrival: ["event AS e INDEXED BY event_by_arrival", "e.received_at, e.id", ""],
  name: ["event AS e INDEXED BY event_by_name", "e.received_at, e.id", " AND e.name = ?"],
  key: [
    "event_key AS k CROSS JOIN event AS e ON e.id = k.event",
    "k.received_at, k.event",
    " AND k.name = ? AND k.path = ? AND k.hash = ?",
  ],
};
