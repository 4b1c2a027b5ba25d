// One subscriber: its topics, what waits for it, and when that is too much. It must not know which
// transport carries messages, nor who publishes them.
// Invariant: `frames` are those handed to the line and not yet gone, in order; `held` is their bytes.
import type { Frame } from "./frame.ts";
import type { Topic } from "./topics.ts";

export type Transport = "websocket" | "sse";

/** Why the server ends a subscription. */
export type Farewell =
  /** It read so slowly that more waited for it than `subscriberBytesMax`. */
  | "slow"
  /** It held the most when `waitingBytesMax` was reached. */
  | "room"
  /** It gave no sign of life. */
  | "silent"
  /** It sent what is no message, or too much of it. */
  | "misbehaved"
  /** An SSE response has lasted `streamMs`. */
  | "over"
  /** The server stops. */
  | "stopping";

/** A connection that carries frames to one subscriber. */
export interface Line {
  readonly transport: Transport;
  /** Hands a frame over; `done` is called once it is gone, or lost. */
  send(frame: Frame, done: () => void): void;
  /** Asks for a sign of life, or gives one where there is nothing to ask. */
  ping(): void;
  /** Says why and goodbye, behind what was sent. */
  close(why: Farewell): void;
  /** Ends the connection at once. */
  cut(): void;
}

export class Subscriber {
  readonly line: Line;
  /** By `Hub`'s key. */
  readonly topics = new Map<string, Topic>();
  readonly frames: Frame[] = [];
  held = 0;
  /** Pings since the last sign of life. */
  silentPings = 0;
  /** Nothing is delivered any more; what is on its way may still arrive. */
  isLeaving = false;

  constructor(line: Line) {
    this.line = line;
  }
}
