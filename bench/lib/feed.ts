// Listens to the server's live feed (`GET /dev/timeline`), which tells of a run's end right after
// the commit that made it durable: what the driver takes as "known complete". It must not know
// workloads.
import { Client as Connection, type Dispatcher } from "undici";

/** An ended run, as the feed told it. */
export interface EndedRun {
  readonly runId: string;
  readonly status: string;
  /** When the server took its event in, ms since the epoch. */
  readonly queuedAt: number;
}

export interface FeedListener {
  readonly onEnd: (run: EndedRun) => void;
  /** A step began to sleep or wait. */
  readonly onWaiting: () => void;
}

const nobody: FeedListener = { onEnd: () => undefined, onWaiting: () => undefined };

export class Feed {
  /** Who is told from now on. */
  listener: FeedListener = nobody;
  /** Why nothing more can be believed: lines were lost, or the feed ended. */
  failure: Error | null = null;
  readonly #connection: Connection;
  #closed = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Resolves once the server has begun to tell. */
  static async open(origin: string): Promise<Feed> {
    const connection = new Connection(origin, { bodyTimeout: 0 });
    const { body } = await connection.request({ method: "GET", path: "/dev/timeline" });
    const feed = new Feed(connection);
    void feed.#read(body);
    return feed;
  }

  /** Nobody is told any more. */
  mute(): void {
    this.listener = nobody;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection.destroy();
  }

  async #read(body: Dispatcher.ResponseData["body"]): Promise<void> {
    let rest = "";
    try {
      for await (const chunk of body.setEncoding("utf8")) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.#take(line);
      }
      this.failure = new Error("the feed ended");
    } catch (error) {
      if (!this.#closed) this.failure = new Error("the feed broke", { cause: error });
    }
  }

  /** Only lines that matter are parsed: most tell of steps. */
  #take(line: string): void {
    if (line.startsWith('{"type":"run"')) {
      if (line.endsWith('"endedAt":null}')) return;
      this.listener.onEnd(JSON.parse(line) as EndedRun); // proof: the feed's documented line
    } else if (line.startsWith('{"type":"waiting"')) this.listener.onWaiting();
    else if (line.startsWith('{"type":"dropped"')) {
      this.failure = new Error("the feed left lines out: this process is too slow for it");
    }
  }
}
