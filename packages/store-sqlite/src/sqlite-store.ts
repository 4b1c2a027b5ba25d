// The store in one file. Three ways lead to it: commits through the thread that writes, short
// reads by key on a connection of this thread, long questions through a thread of their own
// (decisions/001-sqlite-threads.md). This file only connects them.
import { pid } from "node:process";
import type { DatabaseSync } from "node:sqlite";
import type { Change } from "@pawl/engine/changes";
import type { Found, Need } from "@pawl/engine/needs";
import { Listeners } from "@pawl/store/listeners";
import { StoreError } from "@pawl/store/store-error";
import { startQuestions } from "@pawl/store/store";
import type { DueQuery, DueResults, Fence, ListQuery, ListResults, Store } from "@pawl/store/store";
import { openForReading } from "./connection.ts";
import { toStoreError } from "./errors.ts";
import { sqliteSettings } from "./options.ts";
import type { SqliteSettings, SqliteStoreOptions } from "./options.ts";
import { DueReader } from "./read/due.ts";
import { Lister } from "./read/list.ts";
import { Loader } from "./read/load.ts";
import type { ListRequest, WriterRequest } from "./thread/messages.ts";
import { Thread } from "./thread/thread.ts";
import { WordReader } from "./words.ts";

/** A store with what only a single file offers. */
export interface SqliteStore extends Store {
  /**
   * Reads the whole file and reports what is damaged, one sentence each; empty when it is sound.
   * Takes time in proportion to the file; commits and hot reads go on meanwhile.
   */
  verify(): Promise<readonly string[]>;
  /**
   * Gives free room back to the file system. Commits wait meanwhile; it takes time in proportion to the
   * file, and up to twice its room beside it. Rejects with a `StoreError`; nothing has changed then.
   */
  compact(): Promise<void>;
}

/** A store in the file at `path`, which is made when it is missing. Nothing happens before `open`. */
export function createSqliteStore(options: SqliteStoreOptions): SqliteStore {
  return new FileStore(sqliteSettings(options, pid));
}

/** All that is open, together or not at all. */
interface Opened {
  readonly writer: Thread<WriterRequest>;
  readonly reader: DatabaseSync;
  readonly loader: Loader;
  readonly due: DueReader;
  /** Started with the first question: many stores are never asked one. */
  lists: Thread<ListRequest> | null;
  /** Questions of a starting shell: each is answered here once, to spare it the wait for a thread. */
  readonly startQuestions: Set<ListQuery["type"]>;
}

class FileStore implements SqliteStore {
  readonly #settings: SqliteSettings;
  readonly #listeners = new Listeners();
  #opened: Opened | null = null;
  #isOpening = false;

  constructor(settings: SqliteSettings) {
    this.#settings = settings;
  }

  async open(): Promise<Fence> {
    if (this.#opened !== null || this.#isOpening) {
      throw new StoreError("store_failed", `The database ${this.#settings.path} is already open.`);
    }
    this.#isOpening = true;
    const writer = new Thread<WriterRequest>("writer-thread", this.#settings);
    try {
      const epoch = (await writer.ask({ type: "open" })) as number; // proof: writer-thread.ts
      this.#opened = this.#openReaders(writer);
      return { epoch };
    } catch (error) {
      await writer.stop();
      throw toStoreError(error, "open the database", this.#settings.path);
    } finally {
      this.#isOpening = false;
    }
  }

  async load(needs: readonly Need[]): Promise<readonly Found[]> {
    return this.#read(({ loader }) => loader.load(needs));
  }

  async commit(changes: readonly Change[], fence: Fence): Promise<void> {
    const { writer } = this.#assertOpen();
    await writer.ask({ type: "commit", changes, epoch: fence.epoch });
    this.#listeners.tell(changes);
  }

  async due<K extends DueQuery["kind"]>(
    query: Extract<DueQuery, { kind: K }>,
  ): Promise<DueResults[K]> {
    return this.#read(({ due }) => due.due(query)) as DueResults[K]; // proof: the answer is of the query's kind
  }

  async list<T extends ListQuery["type"]>(
    query: Extract<ListQuery, { type: T }>,
  ): Promise<ListResults[T]> {
    const isStarting = this.#assertOpen().startQuestions.delete(query.type);
    const answer = isStarting
      ? this.#read(({ reader }) => new Lister(reader, this.#settings.path).list(query))
      : await this.#ask({ type: "list", query });
    return answer as ListResults[T]; // proof: the answer is of the query's type
  }

  async verify(): Promise<readonly string[]> {
    return (await this.#ask({ type: "verify" })) as readonly string[]; // proof: list-thread.ts
  }

  async compact(): Promise<void> {
    await this.#assertOpen().writer.ask({ type: "compact" });
  }

  watch(listener: (changes: readonly Change[]) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    if (opened === null) return;
    this.#opened = null;
    // Readers first: the writer can then empty its log.
    opened.reader.close();
    try {
      await opened.lists?.ask({ type: "close" });
      await opened.lists?.stop();
      await opened.writer.ask({ type: "close" });
    } finally {
      await opened.writer.stop();
    }
  }

  #openReaders(writer: Thread<WriterRequest>): Opened {
    const reader = openForReading(this.#settings.path, this.#settings.cacheBytes);
    return {
      writer,
      reader,
      loader: new Loader(reader, new WordReader(reader)),
      due: new DueReader(reader),
      lists: null,
      startQuestions: new Set(startQuestions),
    };
  }

  async #ask(request: ListRequest): Promise<unknown> {
    const opened = this.#assertOpen();
    opened.lists ??= new Thread<ListRequest>("list-thread", this.#settings);
    return opened.lists.ask(request);
  }

  #read<T>(work: (opened: Opened) => T): T {
    const opened = this.#assertOpen();
    try {
      return work(opened);
    } catch (error) {
      throw toStoreError(error, "read", this.#settings.path);
    }
  }

  #assertOpen(): Opened {
    if (this.#opened === null) {
      throw new StoreError("store_closed", `The database ${this.#settings.path} is not open.`);
    }
    return this.#opened;
  }
}
