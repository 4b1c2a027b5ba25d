// One journey through a cluster: the app is registered, events go to its servers in turn and are
// sent again until one of them answers, and time passes until nothing is left to do.
import { hasEnded } from "@pawl/engine/wake-up";
import { everyRun } from "@pawl/store/run-filter";
import type { Store } from "@pawl/store/store";
import type { CommandInput } from "../batch.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import { JourneyApp, journeyEvents, outcomeOf, registration } from "./journey.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface TravelOptions extends Omit<ClusterOptions, "script"> {
  /** Commits after which each server dies, once; null: it lives on. */
  readonly deaths?: readonly (number | null)[];
  /** Pairs of events. */
  readonly events?: number;
}

export interface Travelled {
  readonly outcome: readonly string[];
  readonly mailsPut: number;
  /** Messages that are still in a mailbox. */
  readonly mailsLeft: number;
  readonly deaths: number;
  /** Most calls of the function `one` that were out at once. */
  readonly oneAtOnceMax: number;
}

/** How long a journey may take, of which most take little. */
const timeMaxMs = 600_000;
const stepMs = 5_000;

/** The store is not open yet; it is closed at the end. */
export async function travel(store: Store, options: TravelOptions): Promise<Travelled> {
  const clock = new VirtualClock();
  const app = new JourneyApp(clock);
  const fence = await store.open();
  const cluster = new Cluster(store, fence, clock, { ...options, script: app.answer });
  await cluster.register(registration());
  await cluster.start(options.deaths ?? []);
  for (let number = 0; number < (options.events ?? 4); number++)
    await send(cluster, number, journeyEvents(number, clock.now()));
  for (let passed = 0; passed < timeMaxMs && !(await isOver(store)); passed += stepMs)
    await cluster.advance(stepMs);
  await cluster.stop();
  const outcome = await outcomeOf(store);
  const mailsLeft = await mailCount(store);
  await store.close();
  const { mailsPut, deaths } = cluster;
  return { outcome, mailsPut, mailsLeft, deaths, oneAtOnceMax: app.oneAtOnceMax };
}

/** Sends as clients do: again, and elsewhere, when no answer comes. */
async function send(cluster: Cluster, number: number, events: CommandInput): Promise<void> {
  for (let server = number, isAccepted = false; !isAccepted; server++) {
    cluster
      .runtime(server)
      .submit(events)
      .then(
        () => (isAccepted = true),
        () => undefined, // the server died
      );
    await cluster.advance(1_000);
  }
}

async function isOver(store: Store): Promise<boolean> {
  const query = { type: "runs", filter: everyRun, behind: null, oldestFirst: true } as const;
  const runs = await store.list<"runs">({ ...query, limit: 10_000 });
  return runs.every(({ status }) => hasEnded(status)) && (await mailCount(store)) === 0;
}

async function mailCount(store: Store): Promise<number> {
  return (await store.due<"mail">({ kind: "mail", shards: null, limit: 10_000 })).length;
}
