// The writer and the readers of the SQLite store in one thread: the same work without the waiting
// for threads, so that tests can try many databases.
import { pid } from "node:process";
import type { DatabaseSync } from "node:sqlite";
import { Listeners } from "@pawl/store/listeners";
import { StoreError } from "@pawl/store/store-error";
import type { DueResults, ListResults, Store } from "@pawl/store/store";
import { openForReading } from "../connection.ts";
import { sqliteSettings } from "../options.ts";
import { DueReader } from "../read/due.ts";
import { Lister } from "../read/list.ts";
import { Loader } from "../read/load.ts";
import { WordReader } from "../words.ts";
import { openWriter } from "../writer.ts";
import type { Writer } from "../writer.ts";

interface Opened {
  readonly writer: Writer;
  readonly database: DatabaseSync;
  readonly loader: Loader;
  readonly due: DueReader;
  readonly lister: Lister;
}

function openAll(path: string): Opened {
  const settings = sqliteSettings({ path }, pid);
  const writer = openWriter(settings);
  const database = openForReading(path, settings.cacheBytes);
  return {
    writer,
    database,
    loader: new Loader(database, new WordReader(database)),
    due: new DueReader(database),
    lister: new Lister(database, path),
  };
}

/** A store over the file at `path`, in the calling thread. */
export function createThreadlessStore(path: string): Store {
  let opened: Opened | null = null;
  const listeners = new Listeners();
  const assertOpen = (): Opened => {
    if (opened === null) throw new StoreError("store_closed", `The database ${path} is not open.`);
    return opened;
  };
  return {
    async open() {
      if (opened !== null)
        throw new StoreError("store_failed", `The database ${path} is already open.`);
      opened = openAll(path);
      return { epoch: opened.writer.epoch };
    },
    async load(needs) {
      return assertOpen().loader.load(needs);
    },
    async commit(changes, fence) {
      const { writer } = assertOpen();
      writer.commit(changes, fence.epoch);
      writer.maintain();
      listeners.tell(changes);
    },
    async due(query) {
      return assertOpen().due.due(query) as DueResults[typeof query.kind]; // proof: of the query's kind
    },
    async list(query) {
      return assertOpen().lister.list(query) as ListResults[typeof query.type]; // proof: of the query's type
    },
    watch: (listener) => listeners.add(listener),
    async close() {
      opened?.database.close();
      opened?.writer.close();
      opened = null;
    },
  };
}
