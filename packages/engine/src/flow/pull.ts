// Which queues may move when limits change: those of the functions that changed.
import type { Draft } from "../draft.ts";
import { functionOfQueue } from "../gate.ts";

/** Has the queues of the functions looked at: their gates may let more pass than before. */
export function pullQueues(draft: Draft, functions: readonly { readonly id: string }[]): void {
  const ids = new Set(functions.map(({ id }) => id));
  for (const gate of draft.state.gateKeys()) {
    for (const queue of draft.state.queues(gate).keys()) {
      if (!ids.has(functionOfQueue(queue))) continue;
      draft.effect({ type: "pull", gate });
      break;
    }
  }
}
