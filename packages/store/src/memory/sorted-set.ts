// A set that is kept in order: the memory store's index. Items lie in chunks, so that adding and
// deleting cost a binary search and a short move however many there are. It must not know what
// the items mean.

const chunkItemsMax = 512;

/** Two items for which `compare` yields 0 are the same item. */
export class SortedSet<T> {
  readonly #compare: (a: T, b: T) => number;
  /** No chunk is ever empty. */
  readonly #chunks: T[][] = [];
  #size = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds the item, in place of its equal if there is one. */
  add(item: T): void {
    const last = this.#chunks.length - 1;
    const at = Math.min(this.#chunkOf(item), last);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([item]);
      this.#size++;
      return;
    }
    const index = this.#indexIn(chunk, item);
    const found = chunk[index];
    if (found !== undefined && this.#compare(found, item) === 0) {
      chunk[index] = item;
      return;
    }
    this.#size++;
    if (index === chunk.length) chunk.push(item);
    else chunk.splice(index, 0, item);
    // The last chunk is left full, so that appending in order fills chunks to the end.
    if (chunk.length > chunkItemsMax) {
      this.#chunks.splice(at + 1, 0, chunk.splice(at === last ? chunkItemsMax : chunkItemsMax / 2));
    }
  }

  delete(item: T): boolean {
    const at = this.#chunkOf(item);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const index = this.#indexIn(chunk, item);
    const found = chunk[index];
    if (found === undefined || this.#compare(found, item) !== 0) return false;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
    return true;
  }

  /** Items at or behind `from`, in order; all of them when it is null. Not to be changed meanwhile. */
  *ascending(from: T | null): Generator<T, void> {
    const start = from === null ? 0 : this.#chunkOf(from);
    for (let at = start; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      let index = from !== null && at === start ? this.#indexIn(chunk, from) : 0;
      for (; index < chunk.length; index++) {
        yield chunk[index] as T; // proof: index < length
      }
    }
  }

  /** Items before `below`, last first; all of them when it is null. Not to be changed meanwhile. */
  *descending(below: T | null): Generator<T, void> {
    const last = this.#chunks.length - 1;
    const start = below === null ? last : Math.min(this.#chunkOf(below), last);
    for (let at = start; at >= 0; at--) {
      const chunk = this.#chunks[at] ?? [];
      let index = below !== null && at === start ? this.#indexIn(chunk, below) : chunk.length;
      for (index--; index >= 0; index--) {
        yield chunk[index] as T; // proof: 0 <= index < length
      }
    }
  }

  /** The first chunk whose last item is not before `item`; the number of chunks if there is none. */
  #chunkOf(item: T): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle] ?? [];
      const end = chunk[chunk.length - 1] as T; // proof: no chunk is empty
      if (this.#compare(end, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first index in the chunk whose item is not before `item`. */
  #indexIn(chunk: readonly T[], item: T): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = chunk[middle] as T; // proof: middle < length
      if (this.#compare(candidate, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
