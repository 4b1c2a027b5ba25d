// Apps and their functions, all in memory: there are few of them and every event asks for them.
import { isPattern, matchesEventName } from "../expression/event-name.ts";
import type { AppRecord, FunctionRecord } from "../records.ts";
import type { Triggered } from "./view.ts";

export class Catalog {
  readonly #apps = new Map<string, AppRecord>();
  readonly #byId = new Map<string, FunctionRecord>();
  readonly #bySlug = new Map<string, FunctionRecord>();
  readonly #exact = new Map<string, Triggered[]>();
  #patterns: Triggered[] = [];

  app(id: string): AppRecord | undefined {
    return this.#apps.get(id);
  }

  apps(): IterableIterator<AppRecord> {
    return this.#apps.values();
  }

  functionById(id: string): FunctionRecord | undefined {
    return this.#byId.get(id);
  }

  functionBySlug(slug: string): FunctionRecord | undefined {
    return this.#bySlug.get(slug);
  }

  triggeredBy(eventName: string): readonly Triggered[] {
    const exact = this.#exact.get(eventName) ?? none;
    if (this.#patterns.length === 0) return exact;
    const matching = this.#patterns.filter((t) => matchesEventName(t.trigger.event, eventName));
    return matching.length === 0 ? exact : [...exact, ...matching];
  }

  put(app: AppRecord): void {
    this.#apps.set(app.id, app);
    this.#index();
  }

  delete(appId: string): void {
    this.#apps.delete(appId);
    this.#index();
  }

  /** Registrations are rare and small, so the indexes are simply made anew. */
  #index(): void {
    this.#byId.clear();
    this.#bySlug.clear();
    this.#exact.clear();
    this.#patterns = [];
    for (const app of this.#apps.values()) {
      for (const fn of app.functions) this.#indexFunction(fn);
    }
  }

  #indexFunction(fn: FunctionRecord): void {
    this.#byId.set(fn.id, fn);
    this.#bySlug.set(fn.slug, fn);
    for (const trigger of fn.triggers) {
      if (trigger.kind !== "event") continue;
      if (isPattern(trigger.event)) {
        this.#patterns.push({ fn, trigger });
        continue;
      }
      const known = this.#exact.get(trigger.event);
      if (known === undefined) this.#exact.set(trigger.event, [{ fn, trigger }]);
      else known.push({ fn, trigger });
    }
  }
}

const none: readonly Triggered[] = [];
