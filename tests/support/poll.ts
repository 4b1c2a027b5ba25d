// Waiting for a condition in the world outside, with an end. It must not know what is waited for.

/** How long and how often to look. */
export interface PollOptions {
  /** Milliseconds; 30 s unless said. */
  readonly withinMs?: number;
  /** Milliseconds between two looks; 25 unless said. */
  readonly everyMs?: number;
}

/** Thrown by a probe when looking again is pointless. */
export class Hopeless extends Error {
  override readonly name = "Hopeless";
}

/**
 * Resolves with the first value of `probe` that is neither null, undefined nor false. A probe that
 * throws is tried again, unless with `Hopeless`. Rejects when the time is over, naming `what` and
 * the last error.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: PollOptions = {},
): Promise<Exclude<T, null | undefined | false>> {
  const { withinMs = 30_000, everyMs = 25 } = options;
  const end = performance.now() + withinMs;
  let cause: unknown;
  do {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false) {
        return value as Exclude<T, null | undefined | false>; // proof: the three are excluded above
      }
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      cause = error;
    }
    await pause(everyMs);
  } while (performance.now() < end);
  const tail = cause instanceof Error ? ` (last error: ${cause.message})` : "";
  throw new Error(`Not within ${String(withinMs)} ms: ${what}${tail}`, { cause });
}

/** Milliseconds of real time; for what has no condition to look at. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
