// Writes down refused requests without letting whoever sends them fill the log: so many lines a
// minute, and then how many more there were. It must not know requests or keys.
import type { Log } from "../loop/log.ts";

const windowMs = 60_000;

/** What a line says of a refused request: never a key, only the name of a known one. */
export interface Refusal {
  readonly requestId: string;
  readonly code: string;
  readonly method: string;
  /** The route's pattern: paths may hold keys. */
  readonly route: string;
  /** Address of the other side; null: unknown. */
  readonly from: string | null;
  /** Name of the API key; null: it was none that is known. */
  readonly key: string | null;
}

/** Bounded lines about refusals. */
export class RefusalLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #linesMax: number;
  #windowEnd = 0;
  #count = 0;

  constructor(log: Log, now: () => number, linesMax = 20) {
    this.#log = log;
    this.#now = now;
    this.#linesMax = linesMax;
  }

  tell(refusal: Refusal): void {
    const now = this.#now();
    // The clock may be set back: then the window is over, too.
    if (now >= this.#windowEnd || now < this.#windowEnd - windowMs) {
      this.#sum();
      this.#windowEnd = now + windowMs;
      this.#count = 0;
    }
    this.#count += 1;
    if (this.#count <= this.#linesMax) this.#log.warn(refusal, "a request was refused");
  }

  #sum(): void {
    const silent = this.#count - this.#linesMax;
    if (silent > 0) this.#log.warn({ count: silent }, "more requests were refused");
  }
}
