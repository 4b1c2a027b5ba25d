// Metadata: each step that ran adds one to a tally of its run (`app/opcodes.ts`), so at every commit the
// tally must be the number of recorded steps that ran, whatever came twice, late, or to another process.
import type { StepRecord } from "@pawl/engine/records";
import type { MetadataRecord } from "@pawl/engine/metadata-records";
import { fromJsonText } from "@pawl/protocol/json-text";
import { tallyKind } from "../app/opcodes.ts";
import type { Accuse } from "./violation.ts";

export class NoteJudge {
  readonly #accuse: Accuse;
  /** Steps that ran, by run. */
  readonly #ran = new Map<string, number>();
  /** Tallies that are stored, by run. */
  readonly #stored = new Map<string, number>();

  constructor(accuse: Accuse) {
    this.#accuse = accuse;
  }

  /** A step of user code was recorded; one that was taken over from another run is none. */
  recorded(runId: string, { status }: StepRecord): void {
    if (status === "completed") this.#ran.set(runId, (this.#ran.get(runId) ?? 0) + 1);
  }

  noted({ runId, kind, values }: MetadataRecord): void {
    if (kind !== tallyKind)
      return this.#accuse("metadata-broken", `run ${runId} has metadata ${kind}: ${values}`);
    // proof: what the simulated apps bring, added up
    this.#stored.set(runId, (fromJsonText(values) as { readonly ran: number }).ran);
  }

  /** All changes of a commit to the run were seen. */
  check(runId: string): void {
    const ran = this.#ran.get(runId) ?? 0;
    const stored = this.#stored.get(runId) ?? 0;
    if (ran !== stored)
      this.#accuse("metadata-broken", `${ran} steps of run ${runId} ran, its tally says ${stored}`);
  }
}
