// A whole server in one call: opens the port, starts the runtime on a store, answers the API and
// keeps the apps in sync. Used by the command line, by examples and by tests alike. It composes
// and decides nothing; it must not know flags, files or signals.
import { defaultSettings } from "@pawl/engine/settings";
import { UlidFactory } from "@pawl/protocol/ulid";
import { appsShard, owns } from "@pawl/engine/shard";
import { createArrivals } from "./api/arrivals.ts";
import { defaultGraphqlLimits } from "./api/graphql/limit-values.ts";
import { apiRoutes } from "./api/routes.ts";
import { explainFailure, type ApiContext, type StartOptions } from "./api/context.ts";
import { version } from "./api/version.ts";
import { createGuard } from "./auth/guard.ts";
import { RefusalLog } from "./auth/refusal-log.ts";
import { defaultPoolLimits } from "./driver/app-pools.ts";
import { defaultHttpDriverOptions, HttpDriver } from "./driver/http-driver.ts";
import { GatewayDriver, gatewayOptions } from "./gateway/gateway-driver.ts";
import { defaultGatewayLimits } from "./gateway/gateway-request.ts";
import { createGateway, type Gateway, type GatewayParts } from "./http/gateway.ts";
import { listen, type Listener } from "./http/listen.ts";
import { isLoopback } from "./http/origins.ts";
import { Router, type Route } from "./http/router.ts";
import { startRuntime, type Runtime } from "./loop/runtime.ts";
import { systemSeeds } from "./loop/seeds.ts";
import { defaultTimerLimits } from "./loop/timers.ts";
import { FunctionMeter } from "./metrics/function-meter.ts";
import { Meter, meteredStore } from "./metrics/meter.ts";
import type { RunExport } from "./otlp/run-export.ts";
import { defaultRealtimeLimits } from "./realtime/limits.ts";
import { OutputTokens } from "./api/output-tokens.ts";
import { createRealtime, type Realtime } from "./realtime/realtime.ts";
import { startExport } from "./otlp/start-export.ts";
import { Queries } from "./query/queries.ts";
import { messageOf, ServerError } from "./server-error.ts";
import { defaultServerOptions, type ServerOptions } from "./server-options.ts";
import { createAppClient, type AppClient } from "./sync/app-client.ts";
import { AppPoller } from "./sync/app-poller.ts";
import { localPort } from "./sync/app-url.ts";
import { createDiscovery, isPortOpen } from "./sync/discovery.ts";
import { createRegistrar, type Registrar } from "./sync/registrar.ts";
import { syncApp } from "./sync/sync-app.ts";

export interface PawlServer {
  /** Where to reach it from this machine, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Addresses that are open. */
  readonly hosts: readonly string[];
  readonly runtime: Runtime;
  /** Every route, those included that are loaded late. */
  routes(): Promise<readonly Route[]>;
  /**
   * Refuses new work, lets calls under way end (they may still checkpoint) for `drainMs`, then
   * closes port and store. Safe to call twice.
   */
  close(): Promise<void>;
}

const bodiesBytesMax = 256 * 1024 * 1024;
const requestMs = 120_000;
const closeGraceMs = 500;
/** How long a draining server tries to send the last traces, at most. */
const lastTracesMs = 5_000;
const discoveryCoolDownMs = 30_000;

/**
 * Starts a server. Rejects with a `ServerError` (`port_taken`, `host_unavailable`) or a
 * `StoreError`; neither port nor store is open then.
 */
export async function startServer(
  given: Partial<ServerOptions> & Pick<ServerOptions, "store">,
): Promise<PawlServer> {
  const options: ServerOptions = { ...defaultServerOptions, ...given };
  // The port is opened first, so that a server which cannot be reached calls no app. Requests that
  // arrive before the runtime is there wait for it.
  const ready = Promise.withResolvers<Gateway>();
  const listener = await openPort(options, {
    answer: async (request) => (await ready.promise).answer(request),
    upgrade: async (request) => (await ready.promise).upgrade(request),
  });
  try {
    const late: { runtime: Runtime | null } = { runtime: null };
    const meter = meterOf(options, (runId) => late.runtime?.hot.run(runId)?.run.functionId ?? null);
    const traces: { out: RunExport | null } = { out: null };
    const beforeClose = async (): Promise<void> =>
      traces.out?.flush(Math.min(lastTracesMs, options.drainMs));
    const runtime = await startRuntime({ ...runtimeParts(options, meter), beforeClose });
    late.runtime = runtime;
    await indexPaths(options, runtime);
    traces.out = startExport(options, runtime, queriesOf(options, runtime));
    return compose(options, listener, runtime, { meter, traces: traces.out }, ready.resolve);
  } catch (error) {
    await listener.close(0);
    throw error;
  }
}

function meterOf(
  { metricsFunctionsMax: functionsMax, clock }: ServerOptions,
  functionOf: (runId: string) => string | null,
): Meter {
  return new Meter(new FunctionMeter({ functionsMax, now: () => clock.now(), functionOf }));
}

async function indexPaths({ indexPaths: paths }: ServerOptions, runtime: Runtime): Promise<void> {
  if (paths.length === 0 || !owns(runtime.hot.owned, appsShard)) return;
  try {
    await runtime.submit({ type: "paths.indexed", paths });
  } catch (error) {
    await runtime.stop();
    throw error;
  }
}

function compose(
  options: ServerOptions,
  listener: Listener,
  runtime: Runtime,
  watchers: Watchers,
  open: (gateway: Gateway) => void,
): PawlServer {
  const { log } = options;
  const registrar = createRegistrar({
    submit: (command) => runtime.submit(command),
    apps: () => runtime.hot.apps(),
    retriesDefault: runtime.settings.retriesDefault,
    log,
  });
  let draining = false;
  const client = createAppClient({
    kind: options.kind,
    signingKeys: options.signingKeys,
    now: () => options.clock.now(),
  });
  const ids = ulidFactory();
  const realtime = realtimeOf(options, runtime, ids);
  const context = { ...apiContext(options, runtime, registrar, client, watchers), ids, realtime };
  const early = apiRoutes(context);
  let more: Promise<LateRoutes> | null = null;
  const loadMore = () => (more ??= lateRoutes(context));
  open(
    createGateway({
      router: new Router(early),
      more: async () => (await loadMore()).router,
      ...gatewayParts(options),
      draining: () => draining,
    }),
  );
  const poller = createPoller(options, listener.port, runtime, registrar, client);
  poller.start();
  const close = async (): Promise<void> => {
    draining = true;
    realtime.announceStop();
    try {
      const drained = runtime.drain({ graceMs: options.drainMs });
      await Promise.all([poller.stop(), client.close(), drained]);
    } finally {
      realtime.close();
      await listener.close(closeGraceMs);
    }
  };
  let closing: Promise<void> | null = null;
  return {
    url: `http://${reachableHost(listener.hosts[0] ?? "127.0.0.1")}:${String(listener.port)}`,
    port: listener.port,
    hosts: listener.hosts,
    runtime,
    routes: async () => [...early, ...(await loadMore()).routes],
    close: () => (closing ??= close()),
  };
}

/** What sees the commits of a server besides those that ask for them. */
interface Watchers {
  readonly meter: Meter;
  /** Null: traces go nowhere. */
  readonly traces: RunExport | null;
}

interface LateRoutes {
  readonly routes: readonly Route[];
  readonly router: Router;
}

async function lateRoutes(context: ApiContext): Promise<LateRoutes> {
  const { moreRoutes } = await import("./api/more-routes.ts");
  const routes = moreRoutes(context);
  return { routes, router: new Router(routes) };
}

/** What the gateway knows about keys, browsers and logs. */
function gatewayParts(
  options: ServerOptions,
): Pick<
  GatewayParts,
  "kind" | "guard" | "origins" | "onRefused" | "onKeyUsed" | "explain" | "onFault"
> {
  const { kind, host, log, corsOrigins, allowedHosts, clock } = options;
  const now = (): number => clock.now();
  // Strangers must not be able to silence what is told about holders of keys.
  const strangers = new RefusalLog(log, now);
  const holders = new RefusalLog(log, now);
  const checksHosts = kind === "dev" && isLoopback(host);
  return {
    kind,
    guard: createGuard(kind, options, now),
    origins: { pages: corsOrigins, hosts: checksHosts ? allowedHosts : null },
    onRefused: ({ id: requestId, from }, { method, pattern: route }, { code }, key) =>
      (key === null ? strangers : holders).tell({ requestId, code, method, route, from, key }),
    onKeyUsed: ({ id: requestId }, { method, pattern: route }, key) =>
      log.info({ requestId, method, route, key }, "an API key was used"),
    explain: explainFailure,
    onFault: (requestId, { code }, error) =>
      log.error({ err: error, requestId, code }, "a request failed"),
  };
}

async function openPort(options: ServerOptions, gateway: Gateway): Promise<Listener> {
  const { host, port } = options;
  try {
    return await listen({
      gateway,
      hosts: host === null || host === "localhost" ? ["127.0.0.1", "::1"] : [host],
      port,
      bodiesBytesMax: Math.max(bodiesBytesMax, options.limits.bodyBytesMax),
      requestMs,
      onMissingHost: (missing, error) =>
        options.log.warn({ err: error }, `not listening on ${missing}: ${messageOf(error)}`),
    });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE") {
      const message = `Port ${String(port)} is already in use. Stop what listens there, or choose another port with --port or PAWL_PORT.`;
      throw new ServerError("port_taken", message, { cause });
    }
    const message = `Cannot listen on ${host ?? "loopback"}, port ${String(port)}: ${messageOf(cause)}. Choose others with --host and --port.`;
    throw new ServerError("host_unavailable", message, { cause });
  }
}

function runtimeParts(options: ServerOptions, meter: Meter): Parameters<typeof startRuntime>[0] {
  const { kind, clock, log, store, onFatal, timerLimits, retention } = options;
  const settings = { ...defaultSettings, ...options.settings };
  const [key, fallbackKey = null] = options.signingKeys;
  const driver = new HttpDriver({
    ...defaultHttpDriverOptions(clock),
    serverKind: kind,
    signing:
      key === undefined ? null : { key, fallbackKey, requireSignedAnswers: kind === "cloud" },
    userAgent: `pawl/${version}`,
    // Every call that is let out is on its way: none waits for a connection.
    pools: { ...defaultPoolLimits, connectionsMax: settings.callsPerAppMax },
  });
  const gatewayDriver = new GatewayDriver(
    gatewayOptions({
      clock,
      userAgent: `pawl/${version}`,
      limits: { ...defaultGatewayLimits, ...options.gatewayLimits },
      guard: {
        allowPrivate: options.gatewayAllowPrivate || isPersonal(options),
        allow: options.gatewayAllow,
      },
      onOutcome: (step, outcome) => meter.gatewayRequest(step, outcome),
    }),
  );
  return {
    store: meteredStore(store, meter, () => performance.now()),
    settings,
    drivers: [driver, gatewayDriver],
    clock,
    seeds: systemSeeds(),
    log,
    onFatal,
    timerLimits,
    retention,
    onCall: (functionId, moment) => meter.functions.call(functionId, moment),
  };
}

function queriesOf(options: ServerOptions, runtime: Runtime): Queries {
  const now = (): number => options.clock.now();
  return new Queries(runtime, { scanMax: options.searchScanMax, now });
}

/** Whether nobody but people on this machine can reach the server: it tells them nothing new. */
function isPersonal({ kind, host }: Pick<ServerOptions, "kind" | "host">): boolean {
  return kind === "dev" && isLoopback(host);
}

function apiContext(
  options: ServerOptions,
  runtime: Runtime,
  registrar: Registrar,
  client: AppClient,
  { meter, traces }: Watchers,
): Omit<ApiContext, "ids" | "realtime"> {
  return {
    kind: options.kind,
    backend: runtime,
    queries: queriesOf(options, runtime),
    meter,
    exportCounts: () => traces?.counts ?? null,
    endpointOrigins: options.endpointOrigins,
    outputTokens: new OutputTokens(options.signingKeys),
    registrar,
    syncApp: (url) => syncApp({ client, registrar, apps: () => runtime.hot.apps() }, url),
    now: () => options.clock.now(),
    after: (delayMs, run) => options.clock.after(delayMs, run),
    clock: options.clock,
    onFault: (error) => options.log.error({ err: error }, "a request failed"),
    arrival: createArrivals(),
    limits: options.limits,
    graphqlLimits: { ...defaultGraphqlLimits, ...options.graphqlLimits },
    startOptions: startOptions(options),
  };
}

function ulidFactory(): UlidFactory {
  const seeds = systemSeeds();
  return new UlidFactory(() => {
    const [hi, mid, lo] = seeds();
    return [hi & 0xffff, mid, lo];
  });
}

function realtimeOf(options: ServerOptions, runtime: Runtime, ids: UlidFactory): Realtime {
  return createRealtime({
    limits: { ...defaultRealtimeLimits, ...options.realtimeLimits },
    clock: options.clock,
    signingKeys: options.signingKeys,
    nextId: (now) => ids.next(now),
    hot: () => runtime.hot,
    onCommit: (listener) => runtime.onCommit(listener),
  });
}

function startOptions(options: ServerOptions): StartOptions {
  return {
    dir: options.dir,
    urls: options.appUrls,
    autodiscover: options.discoveryPorts !== null,
    poll: options.poll,
    poll_interval: options.pollIntervalMs / 1_000,
    tick: options.timerLimits.tickMs ?? defaultTimerLimits.tickMs,
    retry_interval: (options.settings.retryIntervalMs ?? 0) / 1_000,
    require_keys: options.kind === "cloud",
  };
}

function createPoller(
  options: ServerOptions,
  ownPort: number,
  runtime: Runtime,
  registrar: Registrar,
  client: AppClient,
): AppPoller {
  const { clock, log, poll, pollIntervalMs } = options;
  const apps = () => runtime.hot.apps();
  const ports = options.discoveryPorts?.filter((port) => port !== ownPort) ?? null;
  const discover =
    ports === null
      ? null
      : createDiscovery({
          ports,
          knownPorts: () =>
            new Set([...apps()].map((app) => localPort(app.url)).filter((port) => port !== null)),
          isOpen: isPortOpen,
          isApp: (url) => client.isApp(url),
          now: () => clock.now(),
          coolDownMs: discoveryCoolDownMs,
        });
  return new AppPoller({
    client,
    registrar,
    apps,
    urls: options.appUrls,
    poll,
    discover,
    intervalMs: pollIntervalMs,
    clock,
    log,
  });
}

/** An address that stands for all of this machine is no address to call. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
