// Names that come again and again (events, functions, apps, paths), kept once as rows of `word`
// and referred to by number. A number is never given to another text, so what was read stays true.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreError } from "@pawl/store/store-error";
import { numberOf, textOf } from "./codec.ts";

const rememberedMax = 20_000;

/** Looks words up; remembers what it saw. */
export class WordReader {
  readonly #byText: StatementSync;
  readonly #byId: StatementSync;
  readonly #ids = new Map<string, number>();
  readonly #texts = new Map<number, string>();

  constructor(database: DatabaseSync) {
    this.#byText = database.prepare("SELECT id FROM word WHERE text = ?");
    this.#byId = database.prepare("SELECT text FROM word WHERE id = ?");
  }

  /** The number of a word; null when nothing was ever written under it. */
  find(text: string): number | null {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const row = this.#byText.get(text);
    if (row === undefined) return null;
    const id = numberOf(row["id"]);
    this.remember(id, text);
    return id;
  }

  /** The word of a number. */
  text(id: number): string {
    const known = this.#texts.get(id);
    if (known !== undefined) return known;
    const row = this.#byId.get(id);
    if (row === undefined) throw new StoreError("store_damaged", `The database lacks word ${id}.`);
    const text = textOf(row["text"]);
    this.remember(id, text);
    return text;
  }

  remember(id: number, text: string): void {
    if (this.#ids.size >= rememberedMax) this.forget();
    this.#ids.set(text, id);
    this.#texts.set(id, text);
  }

  /** Forgets everything, as after a rollback that took new words away. */
  forget(): void {
    this.#ids.clear();
    this.#texts.clear();
  }
}

/** Looks words up and adds the missing ones. For the writer only. */
export class WordWriter {
  readonly #reader: WordReader;
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#reader = new WordReader(database);
    this.#insert = database.prepare("INSERT INTO word (text) VALUES (?)");
  }

  idOf(text: string): number {
    const known = this.#reader.find(text);
    if (known !== null) return known;
    const id = Number(this.#insert.run(text).lastInsertRowid);
    this.#reader.remember(id, text);
    return id;
  }

  /** To be called after a rollback. */
  forget(): void {
    this.#reader.forget();
  }
}
