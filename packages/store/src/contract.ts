// What every store must do, as tests over its interface alone. A store is certified by one call of
// `storeContract` in a test file of its package; the memory store runs it too.
import { describe } from "node:test";
import { batchCases } from "./contract/batch-cases.ts";
import { dueCases } from "./contract/due-cases.ts";
import type { MakeStore } from "./contract/kit.ts";
import { listCases } from "./contract/list-cases.ts";
import { matchingCases } from "./contract/matching-cases.ts";
import { modelCases } from "./contract/model-cases.ts";
import { recordCases } from "./contract/record-cases.ts";
import { retainedCases } from "./contract/retained-cases.ts";
import { searchCases } from "./contract/search-cases.ts";

export type { MadeStore, MakeStore } from "./contract/kit.ts";

export interface ContractOptions {
  /** Random change sequences that are compared with the memory store. Default 40. */
  readonly sequences?: number;
}

/** Registers the whole suite under `name`. `makeStore` makes a new, empty database each time. */
export function storeContract(
  name: string,
  makeStore: MakeStore,
  options: ContractOptions = {},
): void {
  describe(`store contract: ${name}`, () => {
    recordCases(makeStore);
    batchCases(makeStore);
    dueCases(makeStore);
    matchingCases(makeStore);
    listCases(makeStore);
    retainedCases(makeStore, options.sequences ?? 40);
    searchCases(makeStore, options.sequences ?? 40);
    modelCases(makeStore, options.sequences ?? 40);
  });
}
