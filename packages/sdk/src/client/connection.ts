// What a client knows about its server and itself, resolved from options and environment.
import type { EventSchemas } from "../events/event-types.ts";
import { PawlError } from "../errors.ts";
import { consoleLogger, readLogLevel, type Logger } from "../logger.ts";
import { MiddlewareStack, type Middleware } from "../middleware.ts";
import { nativeFetch } from "../native-http.ts";
import { platformRuntime, type Runtime } from "../runtime.ts";
import type { CheckpointOptions } from "../functions/options.ts";
import { validateId, validateRetries } from "../functions/validate.ts";

/** Options of a client that do not concern types. */
export interface ConnectionOptions {
  /** Names the app: letters, digits, `.`, `_` and `-`. */
  readonly id: string;
  /** Lets the app send events; else `PAWL_EVENT_KEY`. Not needed in dev mode. */
  readonly eventKey?: string;
  /** Proves app and server to each other; else `PAWL_SIGNING_KEY`. Not needed in dev mode. */
  readonly signingKey?: string;
  /** Also accepted while keys are being changed; else `PAWL_SIGNING_KEY_FALLBACK`. */
  readonly signingKeyFallback?: string;
  /** The server; else `PAWL_BASE_URL`, else `http://localhost:8288`. */
  readonly baseUrl?: string;
  /** No keys, no signatures; else `PAWL_DEV` (`1`, or the URL of the server). */
  readonly isDev?: boolean;
  /** Name of a branch environment; else `PAWL_ENV`. */
  readonly env?: string;
  /** Where lines go; else the console, from `PAWL_LOG_LEVEL` up. */
  readonly logger?: Logger;
  readonly middleware?: readonly Middleware[];
  /** Replaces the global `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** For all functions that do not say otherwise. */
  readonly checkpointing?: boolean | CheckpointOptions;
  /** Retries of functions that name none, 0 to 20; else the server's default, 3. */
  readonly retries?: number;
  /** Replaces parts of the platform, for tests and unusual runtimes. */
  readonly runtime?: Partial<Runtime>;
}

/** See the head of this file. */
export interface Connection {
  readonly appId: string;
  readonly eventKey: string | null;
  /** The signing key first, then the fallback; empty when there is none. */
  readonly signingKeys: readonly string[];
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly isDev: boolean;
  readonly env: string | null;
  readonly logger: Logger;
  readonly middleware: MiddlewareStack;
  readonly checkpointing: boolean | CheckpointOptions;
  readonly retries: number | undefined;
  readonly runtime: Runtime;
  /** Event name -> schema of its data. */
  readonly schemas: EventSchemas;
}

const defaultBaseUrl = "http://localhost:8288";

/** Throws `app_id_invalid`, `retries_invalid`, or `option_invalid` for a bad URL. */
export function resolveConnection(options: ConnectionOptions, schemas: EventSchemas): Connection {
  validateId("app_id_invalid", "app", options.id);
  validateRetries(options.retries, `app "${options.id}"`);
  const runtime = resolveRuntime(options);
  const env = (name: string): string | null => runtime.env(name)?.trim() || null;
  const dev = readDev(env("PAWL_DEV"));
  const keys = [
    options.signingKey ?? env("PAWL_SIGNING_KEY"),
    options.signingKeyFallback ?? env("PAWL_SIGNING_KEY_FALLBACK"),
  ];
  return {
    appId: options.id,
    eventKey: options.eventKey ?? env("PAWL_EVENT_KEY"),
    signingKeys: keys.filter((key) => key !== null),
    baseUrl: readUrl(options.baseUrl ?? env("PAWL_BASE_URL") ?? dev.url ?? defaultBaseUrl),
    isDev: options.isDev ?? dev.on,
    env: options.env ?? env("PAWL_ENV"),
    logger: options.logger ?? consoleLogger(readLogLevel(env("PAWL_LOG_LEVEL") ?? undefined)),
    middleware: new MiddlewareStack(options.middleware ?? []),
    checkpointing: options.checkpointing ?? true,
    retries: options.retries,
    runtime,
    schemas,
  };
}

const fetchOfNode = nativeFetch();
const native = fetchOfNode === null ? {} : { fetch: fetchOfNode };

function resolveRuntime(options: ConnectionOptions): Runtime {
  const own = options.fetch === undefined ? {} : { fetch: options.fetch };
  return { ...platformRuntime, ...native, ...own, ...options.runtime };
}

function readDev(text: string | null): { on: boolean; url: string | null } {
  if (text === null || /^(0|false|no|off)$/i.test(text)) return { on: false, url: null };
  return { on: true, url: /^https?:\/\//i.test(text) ? text : null };
}

function readUrl(text: string): string {
  try {
    return new URL(text).href.replace(/\/+$/, "");
  } catch {
    throw new PawlError("option_invalid", `The server's URL "${text}" is not a URL.`);
  }
}
