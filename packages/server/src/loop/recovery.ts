// What a process does once when it takes over a store: makes the hot state, takes the messages
// that were put off, and gives back the calls whose process is gone. All of it is found in the
// store, so a crash in the middle is followed by the same again.
import { HotState } from "@pawl/engine/state/hot-state";
import type { Settings } from "@pawl/engine/settings";
import type { DueJob, Store } from "@pawl/store/store";
import { messageOf } from "../server-error.ts";
import type { Clock } from "./clock.ts";
import { isOwnMail, type CommitLoop } from "./commit-loop.ts";
import type { Log } from "./log.ts";

/** Runs loaded, calls given back, and messages taken at once. */
const pageSize = 500;
const retryMs = 1_000;

/**
 * The hot state as the store has it, with the runs of `runIds` in memory: runs with calls of this
 * process under way must be, so that the gates count them.
 */
export async function bootState(
  store: Store,
  settings: Settings,
  runIds: Iterable<string>,
): Promise<HotState> {
  const [apps, waitPaths, queues] = await Promise.all([
    store.list<"apps">({ type: "apps" }),
    store.list<"waitPaths">({ type: "waitPaths" }),
    store.list<"queues">({ type: "queues" }),
  ]);
  const hot = new HotState(settings);
  hot.boot({ apps, waitPaths, queues });
  const missing = [...runIds];
  for (let at = 0; at < missing.length; at += pageSize) {
    const page = missing.slice(at, at + pageSize);
    hot.absorb(await store.load(page.map((runId) => ({ kind: "run", runId }))));
  }
  return hot;
}

export interface RecoveryParts {
  readonly store: Store;
  readonly loop: CommitLoop;
  readonly epoch: number;
  readonly clock: Clock;
  readonly log: Log;
  /** True when the process is ending and recovery should, too. */
  readonly stopped: () => boolean;
}

/** Resolves when all that an earlier process left is taken over. Never rejects. */
export async function recover(parts: RecoveryParts): Promise<void> {
  await insist(parts, "mail", () => takeMail(parts));
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

async function takeMail({ store, loop, epoch, log, stopped }: RecoveryParts): Promise<void> {
  let taken = 0;
  let head: string | null = null;
  while (!stopped()) {
    const page = await store.due<"mail">({ kind: "mail", limit: pageSize });
    const mails = page.filter(({ mailId }) => !isOwnMail(mailId, epoch));
    const first = mails[0]?.mailId ?? null;
    if (first === null || first === head) break;
    head = first;
    await loop.takeMail(mails);
    taken += mails.length;
  }
  if (taken > 0)
    log.info({ messages: taken }, "took the messages that an earlier process had put off");
}

async function giveBackLost({ store, loop, epoch, log, stopped }: RecoveryParts): Promise<void> {
  const asked = new Set<string>();
  let stuck = 0;
  while (!stopped()) {
    const page = await store.due<"lost">({ kind: "lost", epoch, limit: pageSize + stuck });
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
