// Waits in memory: those that the store was asked about and those that it may not have yet.
// Grouped by event and key, so that finding the waits of an event is a look-up.
import type { WaitKey, WaitPosition, WaitRecord } from "../records.ts";

interface Entry {
  readonly group: Map<string, Entry>;
  readonly position: string;
  batch: number;
  wait: WaitRecord | null;
}

/** Sorts like (runId, jobId); run ids have one length. */
export function positionText(position: WaitPosition): string {
  return `${position.runId}/${position.jobId}`;
}

export class HotWaits {
  readonly #groups = new Map<string, Map<string, Entry>>();
  readonly #entries = new Map<string, Entry>();

  put(wait: WaitRecord, batch: number): void {
    const entry = this.#entry(wait);
    // A wait that is registered anew may have another key.
    const before = this.#entries.get(entry.position);
    if (before !== undefined && before !== entry) before.group.delete(before.position);
    entry.wait = wait;
    entry.batch = batch;
    this.#touch(entry);
  }

  delete(position: WaitPosition, batch: number): void {
    const text = positionText(position);
    let entry = this.#entries.get(text);
    // Without an entry the group is unknown; the tombstone is found by its position alone.
    entry ??= { group: new Map(), position: text, batch, wait: null };
    entry.wait = null;
    entry.batch = batch;
    this.#touch(entry);
  }

  /** Takes in what the store said, unless memory knows better. */
  absorb(waits: readonly WaitRecord[]): void {
    for (const wait of waits) {
      if (this.#entries.has(positionText(wait))) continue;
      const entry = this.#entry(wait);
      entry.wait = wait;
      this.#entries.set(entry.position, entry);
    }
  }

  /** Waits behind `after` up to `end` (null: all), and behind which one to go on. */
  find(
    event: string,
    key: WaitKey | null,
    { after, end }: { readonly after: WaitPosition | null; readonly end: WaitPosition | null },
    limit: number,
  ): { waits: readonly WaitRecord[]; next: WaitPosition | null } {
    const from = after === null ? "" : positionText(after);
    const until = end === null ? null : positionText(end);
    const found: WaitRecord[] = [];
    for (const { wait, position } of this.#groups.get(groupText(event, key))?.values() ?? []) {
      if (wait === null || position <= from || (until !== null && position > until)) continue;
      found.push(wait);
    }
    found.sort((a, b) => (positionText(a) < positionText(b) ? -1 : 1));
    const waits = found.slice(0, limit);
    const last = found.length > limit ? waits.at(-1) : end;
    return {
      waits,
      next: last === undefined || last === null ? null : { runId: last.runId, jobId: last.jobId },
    };
  }

  evict(committedBatch: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.batch > committedBatch) continue;
      this.#entries.delete(entry.position);
      entry.group.delete(entry.position);
    }
    for (const [text, group] of this.#groups) if (group.size === 0) this.#groups.delete(text);
  }

  #entry(wait: WaitRecord): Entry {
    const position = positionText(wait);
    const text = groupText(wait.event, wait.key);
    let group = this.#groups.get(text);
    if (group === undefined) {
      group = new Map();
      this.#groups.set(text, group);
    }
    let entry = group.get(position);
    if (entry === undefined) {
      entry = { group, position, batch: 0, wait: null };
      group.set(position, entry);
    }
    return entry;
  }

  #touch(entry: Entry): void {
    this.#entries.delete(entry.position);
    this.#entries.set(entry.position, entry);
  }
}

function groupText(event: string, key: WaitKey | null): string {
  return key === null ? `${event}\n` : `${event}\n${key.path}\n${key.hash}`;
}
