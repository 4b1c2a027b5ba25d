// How much of realtime there may be, and for how long. It must not know where values come from.

const kibibyte = 1024;

export interface RealtimeLimits {
  /** Subscribers connected at once, over WebSocket and SSE together. */
  readonly connectionsMax: number;
  /** Topics of one token, one subscriber, or one message that is published. */
  readonly topicsMax: number;
  /** Length of the name of a channel or topic, in UTF-16 units. */
  readonly nameCharsMax: number;
  /** Size of what is published at once. */
  readonly messageBytesMax: number;
  /** What may wait for one subscriber that reads slowly, besides a single message. */
  readonly subscriberBytesMax: number;
  /** What may wait for all subscribers together. */
  readonly waitingBytesMax: number;
  /** How long one SSE response, or one stream that is published, may last. */
  readonly streamMs: number;
  /** Time between two signs of life; a subscriber that is silent for two of them is cut off. */
  readonly pingMs: number;
}

export const defaultRealtimeLimits: RealtimeLimits = {
  connectionsMax: 5_000,
  topicsMax: 100,
  nameCharsMax: 256,
  messageBytesMax: 512 * kibibyte,
  subscriberBytesMax: 1_024 * kibibyte,
  waitingBytesMax: 64 * 1_024 * kibibyte,
  streamMs: 15 * 60_000,
  pingMs: 30_000,
};

/** Bytes of a stream in one message (protocol.md 5.9). */
export const chunkBytesMax = kibibyte;

/** Longest message that a subscriber may send: a token with many topics. */
export const requestBytesMax = 64 * kibibyte;
