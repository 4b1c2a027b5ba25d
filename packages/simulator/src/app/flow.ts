// Flow control of simulated functions, as small numbers, and the options that apps register for it.

export interface ProgramFlow {
  /** Calls of the function that may be out at once. */
  readonly calls?: number;
  /** The same for each `data.key`. */
  readonly callsPerKey?: number;
  /** The same for all functions that share the key. */
  readonly callsShared?: number;
  /** One start in this time, others come later. */
  readonly throttleMs?: number;
  /** Runs with a higher `data.key` go first. */
  readonly prioritized?: boolean;
  /** An event of this name with an equal key cancels. */
  readonly cancelOn?: string;
  readonly startMs?: number;
  readonly finishMs?: number;
  /** One run at a time for each key. */
  readonly singleton?: "skip" | "cancel";
  /** Further runs are skipped. */
  readonly startsPerMinute?: number;
  /** So many events of a key run together; not with `prioritized` or `startsPerMinute`. */
  readonly batch?: number;
}

const key = "event.data.key";

/** The options of protocol.md 1.3. At most two limits of concurrency have keys. */
export function configOf(flow: ProgramFlow = {}): object {
  const limits = [
    { limit: flow.callsPerKey, key },
    { limit: flow.callsShared, key: "'shared'", scope: "env" },
    { limit: flow.calls },
  ].filter(({ limit }) => limit !== undefined);
  return {
    concurrency: limits.slice(0, 2),
    ...(flow.throttleMs === undefined
      ? {}
      : { throttle: { limit: 1, period: `${flow.throttleMs}ms` } }),
    ...(flow.prioritized === true ? { priority: { run: key } } : {}),
    ...(flow.cancelOn === undefined
      ? {}
      : { cancel: [{ event: flow.cancelOn, if: "async.data.key == event.data.key" }] }),
    timeouts: {
      ...(flow.startMs === undefined ? {} : { start: `${flow.startMs}ms` }),
      ...(flow.finishMs === undefined ? {} : { finish: `${flow.finishMs}ms` }),
    },
    ...(flow.singleton === undefined ? {} : { singleton: { mode: flow.singleton, key } }),
    ...(flow.batch === undefined
      ? {}
      : { batchEvents: { maxSize: flow.batch, timeout: "5s", key } }),
    ...(flow.startsPerMinute === undefined
      ? {}
      : { rateLimit: { limit: flow.startsPerMinute, period: "1m" } }),
  };
}
