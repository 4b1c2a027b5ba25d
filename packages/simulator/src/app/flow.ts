// Flow control of simulated functions, as small numbers, and the options that apps register for it.

export interface ProgramFlow {
  /** Calls of the function that may be out at once. */
  readonly calls?: number;
  /** The same for each `data.key`. */
  readonly callsPerKey?: number;
  /** The same for all functions that share the key. */
  readonly callsShared?: number;
  /** The same for each `data.key` of all functions that share the keys. */
  readonly callsPerSharedKey?: number;
  /** One start in this time, others come later. */
  readonly throttleMs?: number;
  /** So many starts in that time, so many of them at once after a pause; for each `data.key`, or for all. */
  readonly throttleOf?: {
    readonly starts: number;
    readonly burst: number;
    readonly perKey: boolean;
  };
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
  /** Absent: a batch is of events with one key. `none`: of all; `if`: of all that have key 0. */
  readonly batchOf?: "none" | "if";
  /** Starts for a key wait until no event came for `periodMs`, at most `timeoutMs`; not with `batch`. */
  readonly debounce?: { readonly periodMs: number; readonly timeoutMs: number };
  /** One run for each key, by an idempotency expression. */
  readonly once?: boolean;
}

const key = "event.data.key";

/** What a limit of concurrency counts. */
export type LimitName = "callsPerKey" | "callsShared" | "callsPerSharedKey" | "calls";

const limitOptions = [
  ["callsPerKey", { key }],
  ["callsShared", { key: "'shared'", scope: "env" }],
  ["callsPerSharedKey", { key, scope: "env" }],
  ["calls", {}],
] as const;

/** The limits of concurrency that are registered: at most two. */
export function limitsOf(flow: ProgramFlow = {}): ReadonlyMap<LimitName, number> {
  const set = limitOptions.flatMap(([name]): [LimitName, number][] => {
    const limit = flow[name];
    return limit === undefined ? [] : [[name, limit]];
  });
  return new Map(set.slice(0, 2));
}

/** The options of protocol.md 1.3. */
export function configOf(flow: ProgramFlow = {}): object {
  const limits = limitsOf(flow);
  return {
    concurrency: limitOptions
      .filter(([name]) => limits.has(name))
      .map(([name, options]) => ({ limit: limits.get(name), ...options })),
    ...(flow.throttleMs === undefined ? {} : { throttle: throttleOptions(flow) }),
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
      : { batchEvents: { maxSize: flow.batch, timeout: "5s", ...batchOptions(flow) } }),
    ...(flow.debounce === undefined
      ? {}
      : {
          debounce: {
            period: `${flow.debounce.periodMs}ms`,
            timeout: `${flow.debounce.timeoutMs}ms`,
            key,
          },
        }),
    ...(flow.once === true ? { idempotency: key } : {}),
    ...(flow.startsPerMinute === undefined
      ? {}
      : { rateLimit: { limit: flow.startsPerMinute, period: "1m" } }),
  };
}

function throttleOptions({ throttleMs, throttleOf }: ProgramFlow): object {
  const { starts = 1, burst = 1, perKey = false } = throttleOf ?? {};
  const rate = { limit: starts, period: `${throttleMs}ms`, burst };
  return perKey ? { ...rate, key } : rate;
}

function batchOptions({ batchOf }: ProgramFlow): object {
  if (batchOf === undefined) return { key };
  return batchOf === "if" ? { if: `${key} == 0` } : {};
}
