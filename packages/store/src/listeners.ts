// Who wants to hear of commits.
import type { Change } from "@pawl/engine/changes";

type Listener = (changes: readonly Change[]) => void;

/** Listeners of one store. */
export class Listeners {
  readonly #listeners = new Set<{ readonly call: Listener }>();

  /** Returns how to stop; stopping twice is harmless. */
  add(listener: Listener): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /**
   * Tells all. The commit is already made, so a listener that throws must not make it look
   * failed: its error is thrown apart, where the process sees it as uncaught.
   */
  tell(changes: readonly Change[]): void {
    for (const listener of this.#listeners) {
      try {
        listener.call(changes);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
