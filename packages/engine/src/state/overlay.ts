// Keyed facts from the store, with the writes on top that the store may not have yet. An entry
// says what is true now: a value, or null for "there is none". Entries leave once committed.

interface Entry<V> {
  readonly batch: number;
  readonly value: V | null;
}

export class Overlay<V> {
  readonly #entries = new Map<string, Entry<V>>();

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value ?? undefined;
  }

  /** A write; wins over everything known before. */
  put(key: string, value: V | null, batch: number): void {
    // Deleted first, so that the order of the entries stays the order of their batches.
    this.#entries.delete(key);
    this.#entries.set(key, { batch, value });
  }

  /** An answer of the store; does not touch what memory knows. */
  absorb(key: string, value: V | null): void {
    if (!this.#entries.has(key)) this.#entries.set(key, { batch: 0, value });
  }

  *values(): Generator<V> {
    for (const entry of this.#entries.values()) if (entry.value !== null) yield entry.value;
  }

  /** Forgets what the store has by now; returns what went. */
  evict(committedBatch: number, gone?: (key: string, value: V | null) => void): void {
    for (const [key, entry] of this.#entries) {
      if (entry.batch > committedBatch) continue;
      this.#entries.delete(key);
      gone?.(key, entry.value);
    }
  }
}
