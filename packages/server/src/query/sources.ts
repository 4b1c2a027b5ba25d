// What questions of people are answered from. It must not know the questions.
import type { CallTimes } from "@pawl/engine/explain/explanation";
import type { HotState } from "@pawl/engine/state/hot-state";
import type { Store } from "@pawl/store/store";

/** What the questions are answered from. The hot state is read anew for each. */
export interface Sources {
  readonly hot: HotState;
  readonly store: Store;
  /** How long calls of a function took lately; null: none was measured. */
  callTimes(functionId: string): CallTimes | null;
}
