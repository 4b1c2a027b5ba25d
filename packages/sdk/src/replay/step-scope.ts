// Knows whether code runs inside of a step, so that a step started there can be refused. Where the
// runtime has AsyncLocalStorage that holds for everything the step does; elsewhere for what it does
// before it first waits.
import { builtinModule } from "../runtime.ts";

/** See the head of this file. */
export interface StepScope {
  /** The id of the step that the caller runs in; null outside of steps. */
  current(): string | null;
  /** Runs code inside of a step. */
  run<Result>(stepId: string, code: () => Result): Result;
}

interface Storage {
  getStore(): string | undefined;
  run<Result>(store: string, code: () => Result): Result;
}

function findStorage(): Storage | null {
  const hooks = builtinModule("node:async_hooks");
  if (hooks === null || typeof hooks !== "object" || !("AsyncLocalStorage" in hooks)) return null;
  // proof: this is the documented constructor of Node's module, and Storage a part of its type
  const Class = hooks.AsyncLocalStorage as new () => Storage;
  return new Class();
}

function synchronousStorage(): Storage {
  let current: string | undefined;
  return {
    getStore: () => current,
    run: (store, code) => {
      const outer = current;
      current = store;
      try {
        return code();
      } finally {
        current = outer;
      }
    },
  };
}

const storage = findStorage() ?? synchronousStorage();

/** The scope of this process. */
export const stepScope: StepScope = {
  current: () => storage.getStore() ?? null,
  run: (stepId, code) => storage.run(stepId, code),
};
