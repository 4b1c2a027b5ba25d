// What a server can be told, and what holds when it is not. It must not know where the values come
// from: flags, files and variables are the config's.
import type { WaitPathRecord } from "@pawl/engine/records";
import type { Settings } from "@pawl/engine/settings";
import { eventBytesCeiling } from "@pawl/protocol/event-wire";
import type { Store } from "@pawl/store/store";
import type { ApiLimits } from "./api/context.ts";
import type { GraphqlLimits } from "./api/graphql/limit-values.ts";
import type { ApiKey } from "./auth/api-key.ts";
import type { GatewayLimits } from "./gateway/gateway-request.ts";
import type { ServerKind } from "./http/gateway.ts";
import { systemClock, type Clock } from "./loop/clock.ts";
import { silentLog, type Log } from "./loop/log.ts";
import type { RetentionLimits } from "./loop/retention.ts";
import type { TimerLimits } from "./loop/timers.ts";
import { metricsFunctionsMaxDefault } from "./metrics/function-meter.ts";
import type { OtlpOptions } from "./otlp/otlp-options.ts";
import type { RealtimeLimits } from "./realtime/limits.ts";
import { searchScanMaxDefault } from "./query/search.ts";
import type { ServerError } from "./server-error.ts";

const mebibyte = 1024 * 1024;

export interface ServerOptions {
  /** Not opened yet; the server opens and closes it. */
  readonly store: Store;
  readonly kind: ServerKind;
  /** Null: loopback, IPv4 and IPv6. */
  readonly host: string | null;
  /** 0: any free port. */
  readonly port: number;
  /** Keys for signing and for the API, the current one first; `cloud` needs at least one. */
  readonly signingKeys: readonly string[];
  readonly eventKeys: readonly string[];
  /** Keys for people and tools, each with what it may do. */
  readonly apiKeys: readonly ApiKey[];
  /** Origins whose pages may use the API, such as `https://ops.example.com`. */
  readonly corsOrigins: readonly string[];
  /** Further host names under which a development server on loopback answers browsers. */
  readonly allowedHosts: readonly string[];
  /** Serve URLs of apps that are asked to sync until they answer. */
  readonly appUrls: readonly string[];
  /** Ask known apps again every `pollIntervalMs`. */
  readonly poll: boolean;
  readonly pollIntervalMs: number;
  /** Local ports to search for apps; null: none is searched for. */
  readonly discoveryPorts: readonly number[] | null;
  readonly settings: Partial<Settings>;
  readonly timerLimits: Partial<TimerLimits>;
  readonly retention: Partial<RetentionLimits>;
  readonly limits: ApiLimits;
  readonly graphqlLimits: Partial<GraphqlLimits>;
  /** Records that one page of a search by expression looks at. */
  readonly searchScanMax: number;
  /** Functions that `/v1/prom/{env}` shows one by one. */
  readonly metricsFunctionsMax: number;
  /** Paths by which events are indexed for searches, from the first start with them on. */
  readonly indexPaths: readonly Pick<WaitPathRecord, "event" | "path">[];
  /** Origins at which durable endpoints may be called; none: on development servers any that an app tells of. */
  readonly endpointOrigins: readonly string[];
  readonly realtimeLimits: Partial<RealtimeLimits>;
  readonly gatewayLimits: Partial<GatewayLimits>;
  /** Hosts and ranges that the server may reach for steps though they are private (`isAllowRule`). */
  readonly gatewayAllow: readonly string[];
  /** All private addresses may be reached; they may anyway on a dev server on loopback. */
  readonly gatewayAllowPrivate: boolean;
  /** How long `close` waits for calls under way. */
  readonly drainMs: number;
  /** Folder of the store, for people; null: none. */
  readonly dir: string | null;
  /** Where the traces of ended runs go; null: nowhere. */
  readonly otlp: OtlpOptions | null;
  readonly clock: Clock;
  readonly log: Log;
  /** The store failed for good and the server has stopped working; it is still to be closed. */
  readonly onFatal: (error: ServerError) => void;
}

/** Everything but the store: a development server on any free port that looks for nothing. */
export const defaultServerOptions: Omit<ServerOptions, "store"> = {
  kind: "dev",
  host: null,
  port: 0,
  signingKeys: [],
  eventKeys: [],
  apiKeys: [],
  corsOrigins: [],
  allowedHosts: [],
  appUrls: [],
  poll: false,
  pollIntervalMs: 5_000,
  discoveryPorts: null,
  settings: {},
  timerLimits: {},
  retention: {},
  limits: {
    eventBytesMax: eventBytesCeiling,
    eventsPerRequestMax: 5_000,
    bodyBytesMax: 32 * mebibyte,
    traceBytesMax: 8 * mebibyte,
    spansPerRequestMax: 5_000,
    previewRunsMax: 10_000,
  },
  graphqlLimits: {},
  searchScanMax: searchScanMaxDefault,
  metricsFunctionsMax: metricsFunctionsMaxDefault,
  indexPaths: [],
  endpointOrigins: [],
  realtimeLimits: {},
  gatewayLimits: {},
  gatewayAllow: [],
  gatewayAllowPrivate: false,
  drainMs: 25_000,
  dir: null,
  otlp: null,
  clock: systemClock,
  log: silentLog,
  onFatal: () => undefined,
};
