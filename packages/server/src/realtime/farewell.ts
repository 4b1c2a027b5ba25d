// How a subscription that the server ends is said to be over: the closed list of close codes of
// WebSockets, the same as data of the last message of SSE. It must not know when that happens.
import type { RealtimeLimits } from "./limits.ts";
import type { Farewell } from "./subscriber.ts";

export interface Goodbye {
  /** Close code of the WebSocket: of RFC 6455, or one of ours from 4000 up. */
  readonly code: number;
  /** At most 123 bytes. */
  readonly reason: string;
}

/** What to say to a subscriber. */
export function goodbyeOf(why: Farewell, limits: RealtimeLimits): Goodbye {
  switch (why) {
    case "stopping":
      return { code: 1001, reason: "the server is stopping; subscribe anew" };
    case "misbehaved":
      return { code: 1008, reason: 'expected JSON with kind "sub", "unsub" or "ping"' };
    case "slow":
      return {
        code: 4008,
        reason: `read too slowly: ${String(limits.subscriberBytesMax)} bytes waited (--realtime-subscriber-bytes-max)`,
      };
    case "over":
      return { code: 4000, reason: "the response has lasted its time; subscribe anew" };
    case "room":
    case "silent":
      // The connection is cut: nobody reads this.
      return { code: 1006, reason: "" };
  }
}
