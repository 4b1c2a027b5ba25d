// A defined function: its code, its triggers and its settings, and the reference by which other
// functions invoke it. It must not know how it is served.
import type { HandlerBase } from "../handler-context.ts";
import type { InvokeTarget } from "./invoke-target.ts";
import { registerFunction, type FunctionConfig } from "./registration.ts";
import type { FunctionSettings, Trigger } from "./options.ts";

/** A handler whose event types only the type checker knew. */
export type ErasedHandler = (context: HandlerBase) => unknown;

/** What a `PawlFunction` is made of; all of it validated. */
export interface FunctionParts {
  readonly appId: string;
  readonly settings: FunctionSettings;
  readonly triggers: readonly Trigger[];
  readonly handler: ErasedHandler;
  readonly onFailure: ErasedHandler | null;
}

/** Made by `pawl.createFunction`; give it to `serve`. */
export class PawlFunction<Data = unknown, Output = unknown> implements InvokeTarget<Data, Output> {
  declare readonly "~types"?: { readonly data: Data; readonly output: Output };
  readonly #parts: FunctionParts;

  constructor(parts: FunctionParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.settings.id;
  }

  get appId(): string {
    return this.#parts.appId;
  }

  /** What people read. */
  get name(): string {
    return this.#parts.settings.name ?? this.id;
  }

  /** The name of the function everywhere outside of the app. */
  get slug(): string {
    return `${this.appId}-${this.id}`;
  }

  /** The settings the function was defined with. */
  get settings(): FunctionSettings {
    return this.#parts.settings;
  }

  /** The code behind a slug of this function: its own, or that of its `onFailure`. */
  handlerOf(slug: string): { readonly code: ErasedHandler; readonly onFailure: boolean } | null {
    if (slug === this.slug) return { code: this.#parts.handler, onFailure: false };
    if (slug !== failureSlug(this.slug) || this.#parts.onFailure === null) return null;
    return { code: this.#parts.onFailure, onFailure: true };
  }

  /** The registration of this function and of its `onFailure`; `url` is where the app is served. */
  register(url: string): readonly FunctionConfig[] {
    const { settings, triggers, onFailure } = this.#parts;
    const { slug, name } = this;
    const config = registerFunction({ slug, name, settings, triggers, url });
    return onFailure === null ? [config] : [config, registerFailure(slug, name, url)];
  }
}

function failureSlug(slug: string): string {
  return `${slug}-failure`;
}

/** The handler of failures is a function of its own (protocol.md 1.3). */
function registerFailure(slug: string, name: string, url: string): FunctionConfig {
  const expression = `event.data.function_id == '${slug}'`;
  return registerFunction({
    slug: failureSlug(slug),
    name: `${name} (failure)`,
    settings: { id: failureSlug(slug), retries: 1 },
    triggers: [{ event: "inngest/function.failed", if: expression }],
    url,
  });
}
