// The promise that user code holds for a step. It is an ordinary native promise that also notes who
// listens, because that tells `Promise.all` from `Promise.race` (SPEC.md, R9). It knows no step.

/** Who listens to a promise: the two functions given to `then`. */
interface Listener {
  readonly fulfilled: unknown;
  readonly rejected: unknown;
}

/** A promise settled from outside, at most once. */
export class StepPromise {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly #listeners: Listener[] = [];

  constructor() {
    const { promise, resolve, reject } = makeDeferred();
    this.promise = promise;
    this.resolve = resolve;
    this.reject = reject;
    const listen = promise.then.bind(promise);
    // A rejection that no branch of user code waits for must not end the process.
    void listen(undefined, () => undefined);
    const listeners = this.#listeners;
    // oxlint-disable-next-line unicorn/no-thenable -- it is a promise already, and stays one
    void Object.defineProperty(promise, "then", {
      value: (fulfilled: () => unknown, rejected: () => unknown): Promise<unknown> => {
        listeners.push({ fulfilled, rejected });
        return listen(fulfilled, rejected);
      },
    });
  }

  /** The only listener; null when there is none that can be seen, or there are several. */
  soleListener(): Listener | null {
    return this.#listeners.length === 1 ? (this.#listeners[0] ?? null) : null;
  }
}

function makeDeferred() {
  // `Promise.withResolvers` is missing in Node 20.
  let resolve: (value: unknown) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

/**
 * Whether all of these promises are elements of one `Promise.all`: it alone gives each element an
 * own function for the value and all of them the same one for the error, while `Promise.race` and
 * `Promise.any` share the function for the value (ECMAScript, Promise.all, Promise.race).
 */
export function areJoined(promises: readonly StepPromise[]): boolean {
  const fulfilled = new Set<unknown>();
  let rejected: unknown = null;
  for (const each of promises) {
    const listener = each.soleListener();
    if (listener === null || typeof listener.rejected !== "function") return false;
    rejected ??= listener.rejected;
    if (rejected !== listener.rejected || fulfilled.has(listener.fulfilled)) return false;
    fulfilled.add(listener.fulfilled);
  }
  return true;
}
