// What a process does once when it takes over a store: takes the messages that were put off, and
// gives back the calls whose process is gone. All of it is found in the store, so a crash in the
// middle is followed by the same again.
import type { DueJob, Store } from "@pawl/store/store";
import { messageOf } from "../server-error.ts";
import type { Clock } from "./clock.ts";
import type { CommitLoop } from "./commit-loop.ts";
import type { Log } from "./log.ts";
import { takeMail } from "./mailbox.ts";

/** Runs loaded and calls given back at once. */
const pageSize = 500;
const retryMs = 1_000;

export interface RecoveryParts {
  readonly store: Store;
  /** The shards that were taken over; null: all. */
  readonly shards: readonly number[] | null;
  readonly loop: CommitLoop;
  readonly epoch: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The messages of an earlier process are taken: a timer may end what they are about. */
  readonly mailTaken: () => void;
  /** True when the process is ending and recovery should, too. */
  readonly stopped: () => boolean;
}

/** Resolves when all that an earlier process left is taken over. Never rejects. */
export async function recover(parts: RecoveryParts): Promise<void> {
  await insist(parts, "mail", async () => {
    const messages = await takeMail(parts);
    if (messages > 0)
      parts.log.info({ messages }, "took the messages that an earlier process had put off");
  });
  if (!parts.stopped()) parts.mailTaken();
  await insist(parts, "lost calls", () => giveBackLost(parts));
}

async function insist(
  parts: RecoveryParts,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  while (!parts.stopped()) {
    try {
      await work();
      return;
    } catch (error) {
      if (parts.stopped()) return;
      parts.log.warn(
        { err: error },
        `${what} of an earlier process could not be read: ${messageOf(error)}`,
      );
      await new Promise<void>((resolve) => parts.clock.after(retryMs, resolve));
    }
  }
}

async function giveBackLost({
  store,
  shards,
  loop,
  epoch,
  log,
  stopped,
}: RecoveryParts): Promise<void> {
  const asked = new Set<string>();
  let stuck = 0;
  while (!stopped()) {
    const page = await store.due<"lost">({ kind: "lost", epoch, shards, limit: pageSize + stuck });
    const calls = page.filter((call) => !asked.has(keyOf(call)));
    if (calls.length === 0) break;
    for (const call of calls) asked.add(keyOf(call));
    const outcomes = await Promise.allSettled(
      calls.map(({ runId, jobId, generation }) =>
        loop.report({ type: "call.lost", runId, jobId, generation }),
      ),
    );
    stuck += outcomes.filter(({ status }) => status === "rejected").length;
  }
  if (asked.size > 0)
    log.info({ calls: asked.size, stuck }, "gave back the calls of an earlier process");
}

function keyOf({ runId, jobId, generation }: DueJob): string {
  return `${runId}/${jobId}/${generation}`;
}
