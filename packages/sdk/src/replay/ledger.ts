// The book of one call: which steps user code has reached, which of them the server has recorded,
// and in which order the records must be handed back. Synchronous; knows no promises' timing.
// Invariants R1 to R4 of SPEC.md live here.
import type { JsonValue } from "@pawl/protocol/json-text";
import { readMemo } from "./memo.ts";
import { stepHash } from "./step-hash.ts";
import { StepPromise } from "./step-promise.ts";
import type { FoundStep, StepRequest } from "./step.ts";

/** What the server has recorded for the run. */
export interface Records {
  /** Hashed step id -> recorded value. */
  readonly memos: ReadonlyMap<string, JsonValue>;
  /** Hashed ids in the order in which the steps finished; may lack some. */
  readonly order: readonly string[];
}

/** See the head of this file. */
export class Ledger {
  readonly #records: Records;
  readonly #position: ReadonlyMap<string, number>;
  readonly #found = new Map<string, FoundStep>();
  readonly #repeats = new Map<string, number>();
  /** Recorded steps that user code waits for, the next to hand back at the end. */
  readonly #ready: FoundStep[] = [];
  /** New steps in order of discovery. */
  readonly #pending = new Set<FoundStep>();
  #unreplayed: number;

  constructor(records: Records) {
    this.#records = records;
    this.#position = positions(records);
    this.#unreplayed = records.memos.size;
  }

  /** User code has reached a step: gives it its identity and its promise. */
  find(request: StepRequest): FoundStep {
    const { hash, index } = this.#identify(request.id);
    const memo = readMemo(request, this.#records.memos.get(hash));
    const step: FoundStep = { hash, index, request, promise: new StepPromise(), memo };
    this.#found.set(hash, step);
    if (memo.kind === "value" || memo.kind === "error") this.#insertReady(step);
    else {
      if (memo.kind === "input") this.#unreplayed -= 1;
      this.#pending.add(step);
    }
    return step;
  }

  /** The step whose record goes back next, taken out of the book; null when none can go now. */
  takeReplay(): FoundStep | null {
    const step = this.#ready.pop();
    if (step === undefined) return null;
    this.#unreplayed -= 1;
    return step;
  }

  /** New steps that user code waits for, in order of discovery. */
  pending(): FoundStep[] {
    return [...this.#pending];
  }

  /** The pending step of that hash; null when user code has not reached it. */
  pendingStep(hash: string): FoundStep | null {
    const step = this.#found.get(hash);
    return step !== undefined && this.#pending.has(step) ? step : null;
  }

  /** A pending step has got its value in this very call. */
  settled(step: FoundStep): void {
    this.#pending.delete(step);
    this.#unreplayed = 0;
  }

  /** Whether user code is still walking over ground it has covered in an earlier call. */
  get replaying(): boolean {
    return this.#unreplayed > 0;
  }

  #identify(id: string): { hash: string; index: number } {
    let index = this.#repeats.get(id) ?? 0;
    let hash = stepHash(id, index);
    // An id may also look like the repeat of another one (`a:1`); identities never collide.
    while (this.#found.has(hash)) hash = stepHash(id, (index += 1));
    this.#repeats.set(id, index + 1);
    return { hash, index };
  }

  #insertReady(step: FoundStep): void {
    const place = this.#place(step);
    let low = 0;
    let high = this.#ready.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#ready[middle];
      if (other !== undefined && this.#place(other) > place) low = middle + 1;
      else high = middle;
    }
    this.#ready.splice(low, 0, step);
  }

  #place(step: FoundStep): number {
    return this.#position.get(step.hash) ?? Number.MAX_SAFE_INTEGER;
  }
}

function positions(records: Records): ReadonlyMap<string, number> {
  const position = new Map<string, number>();
  const note = (hash: string): void => {
    if (!position.has(hash)) position.set(hash, position.size);
  };
  records.order.forEach(note);
  for (const hash of records.memos.keys()) note(hash);
  return position;
}
