// Keep-alive connections, apart for each app and origin: an app that is slow, or holds all its
// connections, delays nobody else. It must not know what travels over them.
import { Pool } from "undici";

export interface PoolLimits {
  /** Connections to one origin for one app. */
  readonly connectionsMax: number;
  readonly connectTimeoutMs: number;
  /** Pools kept; above it the one unused for longest closes when its requests are done. */
  readonly poolsMax: number;
}

export const defaultPoolLimits: PoolLimits = {
  connectionsMax: 256,
  connectTimeoutMs: 10_000,
  poolsMax: 256,
};

export class AppPools {
  readonly #limits: PoolLimits;
  /** In order of last use. */
  readonly #pools = new Map<string, Pool>();
  readonly #closing = new Set<Promise<void>>();

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  pool(appId: string, origin: string): Pool {
    const key = `${appId} ${origin}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = this.#open(origin);
      this.#pools.set(key, pool);
      this.#retire();
    } else if (this.#pools.size > 1) {
      this.#pools.delete(key);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Ends all connections, busy or not. */
  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all([...pools.map((pool) => pool.destroy()), ...this.#closing]);
  }

  #open(origin: string): Pool {
    return new Pool(origin, {
      connections: this.#limits.connectionsMax,
      pipelining: 1,
      // The whole call has one time limit, kept by the driver.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: { timeout: this.#limits.connectTimeoutMs },
    });
  }

  #retire(): void {
    if (this.#pools.size <= this.#limits.poolsMax) return;
    const [oldest] = this.#pools;
    if (oldest === undefined) return;
    this.#pools.delete(oldest[0]);
    const closing = oldest[1].close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
