// Keeps the list of apps true: asks known apps again, asks those that were named at the start
// until they answer, and asks those that discovery finds. It must not know how an app is asked
// nor how a registration is read.
import type { AppRecord } from "@pawl/engine/records";
import { uuidFromName } from "@pawl/protocol/uuid";
import type { Clock, TimerHandle } from "../loop/clock.ts";
import type { Log } from "../loop/log.ts";
import { messageOf } from "../server-error.ts";
import { appUrlKey } from "./app-url.ts";
import { appAt, syncApp, type SyncParts } from "./sync-app.ts";

export interface AppPollerParts extends SyncParts {
  /** URLs given by the user: each is kept as an app with an error until it answers. */
  readonly urls: readonly string[];
  /** Ask known apps again in each round. */
  readonly poll: boolean;
  /** Finds URLs of apps that are not known yet; null: there is no discovery. */
  readonly discover: (() => Promise<readonly string[]>) | null;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

const atOnceMax = 8;

/** The id under which an app is kept that is known by its URL only. */
export function placeholderAppId(url: string): string {
  return uuidFromName(`app-at:${appUrlKey(url)}`);
}

/** Rounds follow each other with the interval between the end of one and the start of the next. */
export class AppPoller {
  readonly #parts: AppPollerParts;
  /** By key of the URL: the trouble that was last told, so that it is told once. */
  readonly #troubles = new Map<string, string>();
  /** Keys of the URLs at which an app was in sync. */
  readonly #answered = new Set<string>();
  #timer: TimerHandle | null = null;
  #stopped = false;
  #round: Promise<void> = Promise.resolve();

  constructor(parts: AppPollerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#round = this.#run();
  }

  /** Waits for the round under way; its requests have timeouts of their own. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#round;
  }

  async #run(): Promise<void> {
    try {
      await Promise.all([this.#askKnown(), this.#askFound()]);
    } catch (error) {
      this.#parts.log.warn({ err: error }, `asking apps to sync failed: ${messageOf(error)}`);
    }
    const idle =
      !this.#parts.poll && this.#parts.discover === null && this.#unanswered().length === 0;
    if (this.#stopped || idle) return;
    this.#timer = this.#parts.clock.after(this.#parts.intervalMs, () => this.start());
  }

  async #askKnown(): Promise<void> {
    const urls = this.#unanswered();
    if (this.#parts.poll) for (const app of this.#named()) urls.push(app.url);
    const distinct = new Map(
      urls.filter((url) => /^https?:/.test(url)).map((url) => [appUrlKey(url), url]),
    );
    const waiting = [...distinct.values()];
    const worker = async (): Promise<void> => {
      for (let url = waiting.shift(); url !== undefined; url = waiting.shift())
        await this.#ask(url, true);
    };
    await Promise.all(Array.from({ length: atOnceMax }, worker));
  }

  async #askFound(): Promise<void> {
    for (const url of (await this.#parts.discover?.()) ?? []) await this.#ask(url, false);
  }

  /** `keep`: trouble is kept with the app, for people to see. */
  async #ask(url: string, keep: boolean): Promise<void> {
    if (this.#stopped) return;
    const before = this.#appAt(url);
    const trouble = await syncApp(this.#parts, url);
    if (this.#stopped) return;
    if (trouble === null) {
      this.#answered.add(appUrlKey(url));
      if (this.#troubles.delete(appUrlKey(url))) {
        this.#parts.log.info({ url }, `the app at ${url} is in sync`);
      }
      return;
    }
    // An app that came or moved while the question was out is in no trouble.
    if (this.#appAt(url)?.id !== before?.id) return;
    if (keep) await this.#parts.registrar.fail(before?.id ?? placeholderAppId(url), url, trouble);
    if (this.#troubles.get(appUrlKey(url)) === trouble) return;
    this.#troubles.set(appUrlKey(url), trouble);
    this.#parts.log.warn({ url }, trouble);
  }

  /** A URL that was named is asked until it answers once; then its app is one like others. */
  #unanswered(): string[] {
    return this.#parts.urls.filter(
      (url) => !this.#answered.has(appUrlKey(url)) && this.#appAt(url) === undefined,
    );
  }

  #appAt(url: string): AppRecord | undefined {
    return appAt(this.#parts.apps(), url);
  }

  #named(): readonly AppRecord[] {
    return [...this.#parts.apps()].filter((app) => app.name !== "" && app.endpoints !== true);
  }
}
