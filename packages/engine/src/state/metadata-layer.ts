// The metadata of one run in memory, and layers of changes on top: of a decision, and of one request
// in it, which is taken as a whole or left. It must not know what the changes mean.
import type { Change } from "../changes.ts";
import {
  metadataChars,
  metadataId,
  type MetadataPlace,
  type MetadataRecord,
} from "../metadata-records.ts";

/** Metadata that can be read. */
export interface MetadataView {
  get(place: MetadataPlace): MetadataRecord | undefined;
  /** Entries. */
  readonly count: number;
  /** What they count for together. */
  readonly chars: number;
}

export class RunMetadata implements MetadataView {
  readonly #entries = new Map<string, MetadataRecord>();
  chars = 0;

  constructor(records: readonly MetadataRecord[]) {
    for (const record of records) this.put(record);
  }

  get count(): number {
    return this.#entries.size;
  }

  get(place: MetadataPlace): MetadataRecord | undefined {
    return this.#entries.get(metadataId(place));
  }

  put(record: MetadataRecord): void {
    this.delete(record);
    this.#entries.set(metadataId(record), record);
    this.chars += metadataChars(record);
  }

  delete(place: MetadataPlace): void {
    const before = this.get(place);
    if (before === undefined) return;
    this.#entries.delete(metadataId(place));
    this.chars -= metadataChars(before);
  }
}

export class MetadataLayer implements MetadataView {
  readonly #below: MetadataView;
  /** `record` null: deleted in this layer. */
  readonly #written = new Map<
    string,
    { readonly place: MetadataPlace; readonly record: MetadataRecord | null }
  >();
  count: number;
  chars: number;

  constructor(below: MetadataView) {
    this.#below = below;
    this.count = below.count;
    this.chars = below.chars;
  }

  get(place: MetadataPlace): MetadataRecord | undefined {
    const own = this.#written.get(metadataId(place));
    return own === undefined ? this.#below.get(place) : (own.record ?? undefined);
  }

  put(record: MetadataRecord): void {
    this.#write(record, record);
  }

  delete(place: MetadataPlace): void {
    this.#write(place, null);
  }

  /** Takes over what a layer on top of this one has written. */
  take(above: MetadataLayer): void {
    for (const { place, record } of above.#written.values()) this.#write(place, record);
  }

  *changes(runId: string): Generator<Change> {
    for (const { place, record } of this.#written.values()) {
      if (record !== null) yield { type: "metadata.put", metadata: record };
      else if (this.#below.get(place) !== undefined)
        yield { type: "metadata.delete", runId, place };
    }
  }

  #write(place: MetadataPlace, record: MetadataRecord | null): void {
    const before = this.get(place);
    this.#written.set(metadataId(place), { place, record });
    this.count += Number(record !== null) - Number(before !== undefined);
    this.chars +=
      (record === null ? 0 : metadataChars(record)) -
      (before === undefined ? 0 : metadataChars(before));
  }
}
