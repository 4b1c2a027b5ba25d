// What the SDK needs from the runtime it stands on, gathered in one place so that tests can bring
// their own clock and network. Uses only what Node, Bun, Deno and edge runtimes share.

/** A request as the SDK makes them. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What the SDK wants of an answer: a part of `Response`. Header names are lower-case. */
export interface FetchedAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** `fetch`, as far as the SDK uses it. Rejects when no whole answer comes. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchedAnswer>;

/** The outside world of a client. */
export interface Runtime {
  /** ms since the epoch. */
  now(): number;
  /** Cryptographically random bytes. */
  randomBytes(count: number): Uint8Array;
  /** Resolves after a time in ms; must not keep a process alive by itself. */
  sleep(ms: number): Promise<void>;
  /** Resolves when all microtasks have run and the event loop has turned once. */
  turn(): Promise<void>;
  /** Performs an HTTP request. */
  readonly fetch: Fetch;
  /** Reads a variable of the environment. */
  env(name: string): string | undefined;
}

interface Globals {
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly getBuiltinModule?: (id: string) => unknown;
  };
  readonly Deno?: { readonly env?: { get(name: string): string | undefined } };
  readonly setImmediate?: (callback: () => void) => unknown;
}

const globals = globalThis as Globals; // proof: every member is optional and checked before use

function readEnv(name: string): string | undefined {
  try {
    return globals.process?.env?.[name] ?? globals.Deno?.env?.get(name);
  } catch {
    // Deno throws when it was started without permission to read the environment.
    return undefined;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (globals.setImmediate !== undefined) globals.setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/** Node's timers are objects that can let the process end; other runtimes use numbers. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms) as { unref?: () => unknown }; // proof: optional, checked
    timer.unref?.();
  });
}

/** The runtime this code is running on. */
export const platformRuntime: Runtime = {
  now: () => Date.now(),
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  sleep,
  turn,
  fetch: (url, init) => fetch(url, init),
  env: readEnv,
};

/** A module of Node's, on runtimes that hand one out without an import; else undefined. */
export function builtinModule(id: string): unknown {
  try {
    return globals.process?.getBuiltinModule?.(id);
  } catch {
    return undefined;
  }
}
