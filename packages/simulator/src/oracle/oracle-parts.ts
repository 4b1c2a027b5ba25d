// What the oracle is told of a simulation. It must not know how any of it is judged.
import type { MemoryData } from "@pawl/store/memory/memory-data";
import type { Program } from "../app/program.ts";
import type { WitnessClock } from "./waits.ts";

export interface OracleParts {
  readonly data: MemoryData;
  /** By function id. */
  readonly programs: ReadonlyMap<string, Program>;
  readonly callsPerAppMax: number;
  /** Nothing can go wrong, so that nothing may be done twice. */
  readonly isCalm: boolean;
  readonly clock: WitnessClock;
  /** Faults of any kind that happened up to now. */
  readonly faults: () => number;
}
