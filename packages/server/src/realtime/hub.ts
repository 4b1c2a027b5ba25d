// Who listens to what, and the way of a message from one publisher to all of them. Publishing never
// waits: messages go through a queue that is emptied in small turns, and a subscriber that reads too
// slowly is dropped. It must not know transports, tokens or runs.
// Invariants: what waits for one subscriber is at most `subscriberBytesMax` and one message, what
// waits in all at most `waitingBytesMax`, a message that waits for many counted once; messages reach
// each subscriber in the order of publishing.
import type { Clock, TimerHandle } from "../loop/clock.ts";
import type { Frame } from "./frame.ts";
import type { RealtimeLimits } from "./limits.ts";
import type { Farewell, Subscriber, Transport } from "./subscriber.ts";
import type { Topic } from "./topics.ts";

export interface HubParts {
  readonly limits: RealtimeLimits;
  readonly clock: Clock;
  /** Called when the first subscriber comes; what it returns, when the last one has left. */
  readonly onListeners: () => () => void;
}

/** Since the start of the process, but for `subscribers` and `waitingBytes`. */
export interface HubCounts {
  readonly subscribers: Readonly<Record<Transport, number>>;
  readonly waitingBytes: number;
  /** Messages that had a subscriber. */
  readonly published: number;
  readonly delivered: number;
  /** Messages that nobody got, because too much was waiting. */
  readonly lost: number;
  /** Subscribers that the server has dropped. */
  readonly dropped: Readonly<Record<Dropped, number>>;
}

type Dropped = "slow" | "room" | "silent" | "misbehaved";

interface Waiting {
  readonly frame: Frame;
  /** Subscribers who come while the message is on its way may get it. */
  readonly targets: SetIterator<Subscriber>;
}

/** Deliveries before anything else of the process has its turn. */
const deliveriesPerTurn = 128;

export class Hub {
  readonly #parts: HubParts;
  readonly #subscribers = new Set<Subscriber>();
  readonly #channels = new Map<string, Map<string, Set<Subscriber>>>();
  /** How often each frame is held: by the queue, and by subscribers. */
  readonly #holders = new Map<Frame, number>();
  readonly #waiting: Waiting[] = [];
  #isDelivering = false;
  #heldBytes = 0;
  #ping: TimerHandle | null = null;
  #stopListening = (): void => undefined;
  readonly #numbers = { published: 0, delivered: 0, lost: 0 };
  readonly #dropped: Record<Dropped, number> = { slow: 0, room: 0, silent: 0, misbehaved: 0 };

  constructor(parts: HubParts) {
    this.#parts = parts;
  }

  get counts(): HubCounts {
    const subscribers = { websocket: 0, sse: 0 };
    for (const { line } of this.#subscribers) subscribers[line.transport] += 1;
    const dropped = { ...this.#dropped };
    return { subscribers, waitingBytes: this.#heldBytes, dropped, ...this.#numbers };
  }

  /** Whether one more may come. */
  get hasRoom(): boolean {
    return this.#subscribers.size < this.#parts.limits.connectionsMax;
  }

  join(subscriber: Subscriber, topics: readonly Topic[]): void {
    if (this.#subscribers.size === 0) this.#begin();
    this.#subscribers.add(subscriber);
    this.add(subscriber, topics);
  }

  /** Subscribes to more; false, and nothing has changed, when that would be too many. */
  add(subscriber: Subscriber, topics: readonly Topic[]): boolean {
    const all = new Set([...subscriber.topics.keys(), ...topics.map(keyOf)]);
    if (all.size > this.#parts.limits.topicsMax || subscriber.isLeaving) return false;
    for (const topic of topics) {
      subscriber.topics.set(keyOf(topic), topic);
      const names = this.#channels.get(topic.channel) ?? new Map<string, Set<Subscriber>>();
      this.#channels.set(topic.channel, names);
      const listeners = names.get(topic.name) ?? new Set();
      names.set(topic.name, listeners.add(subscriber));
    }
    return true;
  }

  /** Topics that it has not subscribed to are passed over. */
  remove(subscriber: Subscriber, topics: Iterable<Topic>): void {
    for (const topic of topics) {
      if (!subscriber.topics.delete(keyOf(topic))) continue;
      const names = this.#channels.get(topic.channel);
      const listeners = names?.get(topic.name);
      listeners?.delete(subscriber);
      if (listeners?.size === 0) names?.delete(topic.name);
      if (names?.size === 0) this.#channels.delete(topic.channel);
    }
  }

  /** Its connection is gone, and with it all that waited. Safe to call twice. */
  leave(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber)) return;
    this.#silence(subscriber);
    while (subscriber.frames.length > 0) this.#release(subscriber);
    if (this.#subscribers.size === 0) this.#end();
  }

  /** Whether anybody listens to any topic of a channel. */
  hears(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /** How many listen to a topic. */
  listeners(channel: string, name: string): number {
    return this.#channels.get(channel)?.get(name)?.size ?? 0;
  }

  /** Sends a frame to all who listen to a topic, soon; `frame` is asked only if there is somebody. */
  publish(channel: string, name: string, frame: () => Frame): number {
    const targets = this.#channels.get(channel)?.get(name);
    if (targets === undefined) return 0;
    const made = frame();
    if (!this.#makeRoom(made.event.length)) {
      this.#numbers.lost += 1;
      return 0;
    }
    this.#numbers.published += 1;
    this.#hold(made);
    const count = targets.size;
    this.#waiting.push({ frame: made, targets: targets.values() });
    this.#deliverSoon();
    return count;
  }

  /** Sends a frame to one subscriber, at once. */
  deliver(subscriber: Subscriber, frame: Frame): void {
    if (subscriber.isLeaving) return;
    const bytes = frame.event.length;
    if (subscriber.held > 0 && subscriber.held + bytes > this.#parts.limits.subscriberBytesMax)
      return this.drop(subscriber, "slow");
    if (!this.#holders.has(frame) && !this.#makeRoom(bytes)) return this.drop(subscriber, "room");
    if (subscriber.isLeaving) return;
    this.#hold(frame);
    subscriber.held += bytes;
    subscriber.frames.push(frame);
    this.#numbers.delivered += 1;
    subscriber.line.send(frame, () => this.#release(subscriber));
  }

  /** Ends a subscription for a reason that is the subscriber's. */
  drop(subscriber: Subscriber, why: Dropped): void {
    if (subscriber.isLeaving) return;
    this.#dropped[why] += 1;
    this.#silence(subscriber);
    if (why === "room" || why === "silent") this.#cut(subscriber);
    else subscriber.line.close(why);
  }

  /** Ends a subscription whose time is over. */
  finish(subscriber: Subscriber, why: Exclude<Farewell, Dropped>): void {
    if (subscriber.isLeaving) return;
    this.#silence(subscriber);
    subscriber.line.close(why);
  }

  /** Tells everybody that the server is stopping; messages go on until `closeAll`. */
  announce(frame: Frame): void {
    for (const subscriber of this.#subscribers) this.deliver(subscriber, frame);
  }

  /** Ends all subscriptions. */
  closeAll(): void {
    for (const subscriber of this.#subscribers) this.finish(subscriber, "stopping");
  }

  #silence(subscriber: Subscriber): void {
    subscriber.isLeaving = true;
    this.remove(subscriber, [...subscriber.topics.values()]);
  }

  #cut(subscriber: Subscriber): void {
    subscriber.line.cut();
    this.leave(subscriber);
  }

  #hold(frame: Frame): void {
    const holders = this.#holders.get(frame) ?? 0;
    if (holders === 0) this.#heldBytes += frame.event.length;
    this.#holders.set(frame, holders + 1);
  }

  #letGo(frame: Frame): void {
    const holders = (this.#holders.get(frame) ?? 0) - 1;
    if (holders > 0) return void this.#holders.set(frame, holders);
    this.#heldBytes -= frame.event.length;
    this.#holders.delete(frame);
  }

  /** The oldest frame of a subscriber is gone; nothing happens when it has left meanwhile. */
  #release(subscriber: Subscriber): void {
    const frame = subscriber.frames.shift();
    if (frame === undefined) return;
    subscriber.held -= frame.event.length;
    this.#letGo(frame);
  }

  #begin(): void {
    this.#stopListening = this.#parts.onListeners();
    this.#schedulePing();
  }

  #end(): void {
    this.#stopListening();
    this.#ping?.cancel();
    this.#ping = null;
  }

  #schedulePing(): void {
    this.#ping = this.#parts.clock.after(this.#parts.limits.pingMs, () => {
      for (const subscriber of this.#subscribers) {
        if (subscriber.silentPings >= silentPingsMax) this.drop(subscriber, "silent");
        else if (!subscriber.isLeaving) {
          subscriber.silentPings += 1;
          subscriber.line.ping();
        }
      }
      if (this.#subscribers.size > 0) this.#schedulePing();
    });
  }

  #deliverSoon(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    setImmediate(() => this.#deliverSome());
  }

  #deliverSome(): void {
    let left = deliveriesPerTurn;
    let finished = 0;
    for (const { frame, targets } of this.#waiting) {
      for (; left > 0; left--) {
        const { done, value } = targets.next();
        if (done === true) break;
        this.deliver(value, frame);
      }
      if (left === 0) break;
      this.#letGo(frame);
      finished += 1;
    }
    this.#waiting.splice(0, finished);
    this.#isDelivering = false;
    if (this.#waiting.length > 0) this.#deliverSoon();
  }

  /** Drops who holds the most until there is room; false: nobody holds anything, and there is none. */
  #makeRoom(bytes: number): boolean {
    const { waitingBytesMax } = this.#parts.limits;
    while (this.#heldBytes + bytes > waitingBytesMax) {
      let most: Subscriber | null = null;
      for (const subscriber of this.#subscribers)
        if (subscriber.held > (most?.held ?? 0)) most = subscriber;
      if (most === null) return false;
      if (most.isLeaving) this.#cut(most);
      else this.drop(most, "room");
    }
    return true;
  }
}

const silentPingsMax = 2;

function keyOf({ channel, name }: Topic): string {
  return JSON.stringify([channel, name]);
}
