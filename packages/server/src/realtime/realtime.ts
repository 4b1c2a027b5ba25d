// Realtime of one server: its subscribers, their tokens, and what it publishes by itself. Composed
// once, costs nothing while nobody subscribes. It must not know routes.
import type { Change } from "@pawl/engine/changes";
import type { HotState } from "@pawl/engine/state/hot-state";
import { jsonNull } from "@pawl/protocol/json-text";
import type { Clock } from "../loop/clock.ts";
import { frameOf } from "./frame.ts";
import { Hub } from "./hub.ts";
import type { RealtimeLimits } from "./limits.ts";
import { publishChanges } from "./run-feed.ts";
import { Tokens, tokenSecrets } from "./tokens.ts";

export interface RealtimeParts {
  readonly limits: RealtimeLimits;
  readonly clock: Clock;
  /** The current one first; none on development servers. */
  readonly signingKeys: readonly string[];
  /** ULIDs. */
  readonly nextId: (now: number) => string;
  readonly hot: () => HotState;
  /** Tells each commit's changes, after it. Returns how to stop. */
  readonly onCommit: (listener: (changes: readonly Change[]) => void) => () => void;
}

export interface Realtime {
  readonly limits: RealtimeLimits;
  readonly hub: Hub;
  readonly tokens: Tokens;
  /** Tells subscribers that the server is stopping; what is published still reaches them. */
  announceStop(): void;
  /** Says goodbye to all subscribers. */
  close(): void;
}

export function createRealtime(parts: RealtimeParts): Realtime {
  const { limits, clock, signingKeys, nextId, hot, onCommit } = parts;
  const now = (): number => clock.now();
  const hub: Hub = new Hub({
    limits,
    clock,
    onListeners: () => onCommit((changes) => publishChanges({ hub, limits, now, hot }, changes)),
  });
  const secrets = tokenSecrets(signingKeys);
  return {
    limits,
    hub,
    tokens: new Tokens({ secrets, now, nextId, limits }),
    announceStop: () =>
      hub.announce(frameOf({ kind: "closing", data: jsonNull, createdAt: now() })),
    close: () => hub.closeAll(),
  };
}
