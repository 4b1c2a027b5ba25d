// A subscriber on server-sent events (protocol.md 5.9): a response that lasts for a while, whose
// pieces are pulled as fast as the other side takes them. It must not know who publishes.
import { jsonNull, toJsonText } from "@pawl/protocol/json-text";
import type { HttpResponse } from "../http/response.ts";
import type { Clock } from "../loop/clock.ts";
import { goodbyeOf } from "./farewell.ts";
import { frameOf } from "./frame.ts";
import type { Hub } from "./hub.ts";
import type { RealtimeLimits } from "./limits.ts";
import { Subscriber, type Farewell, type Line } from "./subscriber.ts";
import type { Topic } from "./topics.ts";

export interface EventParts {
  readonly hub: Hub;
  readonly limits: RealtimeLimits;
  readonly clock: Clock;
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly done: () => void;
}

const headers = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // Some proxies hold answers back until they are complete.
  "x-accel-buffering": "no",
};

/** The response that carries the messages of topics from now on. */
export function subscribeEvents(parts: EventParts, topics: readonly Topic[]): HttpResponse {
  const { hub, limits, clock } = parts;
  const pieces = new Pieces();
  const cut = new AbortController();
  const subscriber: Subscriber = new Subscriber(
    lineOf(pieces, cut, {
      ping: () => {
        const createdAt = clock.now();
        hub.deliver(subscriber, frameOf({ kind: "ping", data: jsonNull, createdAt }));
      },
      // Whoever takes what it is sent is alive, as far as one can tell.
      taken: () => {
        subscriber.silentPings = 0;
      },
      closing: (why) => closingEvent(why, limits, clock.now()),
    }),
  );
  hub.join(subscriber, topics);
  const timer = clock.after(limits.streamMs, () => hub.finish(subscriber, "over"));
  const left = (): void => {
    timer.cancel();
    hub.leave(subscriber);
  };
  return { status: 200, headers, body: pieces.read(left), cut: cut.signal };
}

function lineOf(
  pieces: Pieces,
  cut: AbortController,
  says: {
    readonly ping: () => void;
    readonly taken: () => void;
    readonly closing: (why: Farewell) => Uint8Array;
  },
): Line {
  return {
    transport: "sse",
    send: ({ event }, done) => {
      const taken = (): void => {
        says.taken();
        done();
      };
      pieces.push({ bytes: event, done: taken });
    },
    ping: says.ping,
    close: (why) => {
      // Who reads too slowly would not read this either.
      if (why === "slow") return cut.abort();
      pieces.push({ bytes: says.closing(why), done: () => undefined });
      pieces.end();
    },
    cut: () => cut.abort(),
  };
}

function closingEvent(why: Farewell, limits: RealtimeLimits, createdAt: number): Uint8Array {
  const data = toJsonText(goodbyeOf(why, limits));
  return frameOf({ kind: "closing", data, createdAt }).event;
}

/** Pieces that wait to be pulled. A piece is done when the next one is asked for. */
class Pieces {
  readonly #waiting: Piece[] = [];
  #last: Piece | null = null;
  #hasEnded = false;
  #wake: (() => void) | null = null;

  push(piece: Piece): void {
    this.#waiting.push(piece);
    this.#rouse();
  }

  /** Nothing comes behind what waits. */
  end(): void {
    this.#hasEnded = true;
    this.#rouse();
  }

  /** `left` is called when the last piece is taken, or the reader goes. */
  read(left: () => void): AsyncIterable<Uint8Array> {
    const over = { done: true, value: undefined } as const;
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      this.#last?.done();
      this.#last = null;
      while (this.#waiting.length === 0 && !this.#hasEnded)
        await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#last = this.#waiting.shift() ?? null;
      if (this.#last !== null) return { done: false, value: this.#last.bytes };
      left();
      return over;
    };
    const stop = async (): Promise<IteratorResult<Uint8Array>> => {
      this.#waiting.length = 0;
      this.end();
      left();
      return over;
    };
    return { [Symbol.asyncIterator]: () => ({ next, return: stop }) };
  }

  #rouse(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
