// `pawl dev` and `pawl start`: run a server until a signal ends it. The first SIGTERM or SIGINT
// drains it, the second ends the process at once.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { listedModelPrices } from "@pawl/engine/metadata/model-prices";
import { readIndexPath } from "@pawl/server/config/index-path";
import { environmentName, type OptionValues } from "@pawl/server/config/options";
import type { Log } from "@pawl/server/loop/log";
import { otlpOptions } from "@pawl/server/otlp/otlp-options";
import { ServerError } from "@pawl/server/server-error";
import type { PawlServer } from "@pawl/server/server";
import type { ServerOptions } from "@pawl/server/server-options";
import type { Store } from "@pawl/store/store";
import { StoreError } from "@pawl/store/store-error";
import type { Arguments, Command, Terminal } from "../command.ts";
import { jsonLog, lineLog } from "../log.ts";
import { optionFlags, readOptions } from "../option-flags.ts";
import { chosenPolicies } from "../retention.ts";
import { storePath } from "../store-path.ts";

type Kind = "dev" | "start";

export const devCommand: Command = serveCommand(
  "dev",
  "Run a development server: no keys, finds apps on this machine.",
);
export const startCommand: Command = serveCommand(
  "start",
  "Run a production server: keys required, nothing is searched for.",
);

function serveCommand(name: Kind, summary: string): Command {
  const run: Command["run"] = (args, terminal) => serve(name, args, terminal);
  return { name, summary, usage: "[flags]", positionalsMax: 0, flags: optionFlags(name), run };
}

async function serve(kind: Kind, args: Arguments, terminal: Terminal): Promise<number> {
  const begin = performance.now();
  const values = await readOptions(args.flags, terminal);
  if (kind === "start") requireKeys(values);
  const log = values.json
    ? await jsonLog(values["log-level"])
    : lineLog(values["log-level"], terminal.isInteractive, () => Date.now(), terminal.print);
  const otlp = otlpOptions(
    {
      endpoint: values["otlp-endpoint"],
      headers: values["otlp-header"],
      serviceName: values["otlp-service-name"],
      queueMax: values["otlp-queue-max"],
    },
    terminal.environment,
  );
  const ended = Promise.withResolvers<number>();
  const [{ startServer }, store, discoveryPorts] = await Promise.all([
    import("@pawl/server/server"),
    openStore(values, terminal.directory),
    portsToSearch(kind, values, terminal),
  ]);
  const server = await startServer({
    ...serverOptions(kind, values),
    otlp,
    store,
    discoveryPorts,
    log,
    onFatal: (error) => {
      log.error(
        { err: error, code: error.code },
        `the store can no longer be written: ${error.message}`,
      );
      ended.resolve(1);
    },
  });
  announce(kind, server, values, log, performance.now() - begin);
  listenToSignals(server, log, ended.resolve);
  const code = await ended.promise;
  await server.close();
  return code;
}

function requireKeys(values: OptionValues): void {
  if (values["signing-key"] !== null) return;
  const variable = environmentName("signing-key");
  const message = `"pawl start" needs a signing key: pass --signing-key or set ${variable}. Make one with "openssl rand -hex 32".`;
  throw new ServerError("option_invalid", message);
}

async function openStore(values: OptionValues, directory: string): Promise<Store> {
  if (values["in-memory"]) return (await import("@pawl/store/memory-store")).createMemoryStore();
  const { createSqliteStore } = await import("@pawl/store-sqlite/sqlite-store");
  const folder = resolve(directory, values.dir);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(
      "store_failed",
      `The folder ${folder} of the store cannot be made: ${reason}. Choose another with --dir.`,
      { cause },
    );
  }
  return createSqliteStore({ path: storePath(folder) });
}

async function portsToSearch(
  kind: Kind,
  values: OptionValues,
  terminal: Terminal,
): Promise<readonly number[] | null> {
  if (kind === "start" || values["no-discovery"]) return null;
  const { usualPorts } = await import("@pawl/server/sync/discovery");
  return usualPorts(terminal.environment["PORT"]);
}

function serverOptions(kind: Kind, values: OptionValues): Partial<ServerOptions> {
  const retrySeconds = values["retry-interval"];
  const keys = [values["signing-key"], values["signing-key-fallback"]];
  return {
    kind: kind === "dev" ? "dev" : "cloud",
    host: values.host,
    port: values.port,
    signingKeys: kind === "dev" ? [] : keys.filter((key) => key !== null),
    eventKeys: kind === "dev" ? [] : values["event-key"],
    apiKeys: kind === "dev" ? [] : values["api-keys"],
    corsOrigins: values["cors-origins"],
    endpointOrigins: values["endpoint-origins"],
    allowedHosts: values["allowed-hosts"],
    appUrls: values["sdk-url"],
    poll: kind === "dev" && !values["no-poll"],
    pollIntervalMs: values["poll-interval"] * 1_000,
    settings: {
      retryIntervalMs: retrySeconds === null ? null : retrySeconds * 1_000,
      gatewayCallsMax: values["gateway-calls-max"],
      callsPerAppMax: values["calls-per-app-max"],
      backlogMax: values["backlog-max"] === 0 ? null : values["backlog-max"],
      onCancelDefault: values["on-cancel"],
      scheduleLateMaxMs:
        values["schedule-late-max"] === 0 ? null : values["schedule-late-max"] * 1_000,
      schedulesMax: values["schedules-max"],
      scheduleCatchUpMax: values["schedule-catch-up-max"],
      endpointSilenceMs: values["endpoint-silence"] * 1_000,
      endpointsMax: values["endpoints-max"],
      scheduleOnTimeMs: values["schedule-on-time"] * 1_000,
      stepsPerRunMax: values["steps-per-run-max"],
      defersPerRunMax: values["defers-per-run-max"],
      deferCharsMax: values["defer-chars-max"],
      deferCharsPerRunMax: values["defer-chars-per-run-max"],
      runStateCharsMax: values["run-state-chars-max"],
      stepOutputCharsMax: values["step-output-chars-max"],
      waitMaxMs: values["wait-max"] * 86_400_000,
      runMetadataCharsMax: values["run-metadata-chars-max"],
      runMetadataMax: values["run-metadata-max"],
      modelPrices: new Map([...listedModelPrices, ...values["model-prices"]]),
      userSpansPerRunMax: values["user-spans-per-run-max"],
      userSpanBytesPerRunMax: values["user-span-bytes-per-run-max"],
      waitBranchesMax: values["wait-branches-max"],
      signalNameCharsMax: values["signal-name-chars-max"],
      signalDataCharsMax: values["signal-data-chars-max"],
    },
    timerLimits: { tickMs: values.tick },
    retention: {
      policies: chosenPolicies(values),
      stepSize: values["retention-step-records"],
      stepBytes: values["retention-step-bytes"],
    },
    limits: {
      eventBytesMax: values["event-bytes-max"],
      eventsPerRequestMax: values["events-per-request-max"],
      bodyBytesMax: values["body-bytes-max"],
      traceBytesMax: values["trace-bytes-max"],
      spansPerRequestMax: values["spans-per-request-max"],
      previewRunsMax: values["preview-runs-max"],
    },
    searchScanMax: values["search-scan-max"],
    metricsFunctionsMax: values["metrics-functions-max"],
    indexPaths: values["index-path"].flatMap((text) => readIndexPath(text) ?? []),
    ...limitsOfParts(values),
    gatewayAllow: values["gateway-allow"],
    gatewayAllowPrivate: values["gateway-allow-private"],
    drainMs: values["drain-timeout"] * 1_000,
    dir: values["in-memory"] ? null : values.dir,
  };
}

/** Limits of what is loaded only when somebody asks for it. */
function limitsOfParts(values: OptionValues): Partial<ServerOptions> {
  return {
    graphqlLimits: {
      depthMax: values["graphql-depth-max"],
      fieldsMax: values["graphql-fields-max"],
      aliasesMax: values["graphql-aliases-max"],
      valuesMax: values["graphql-values-max"],
    },
    realtimeLimits: {
      connectionsMax: values["realtime-connections-max"],
      topicsMax: values["realtime-topics-max"],
      nameCharsMax: values["realtime-name-chars-max"],
      messageBytesMax: values["realtime-message-bytes-max"],
      subscriberBytesMax: values["realtime-subscriber-bytes-max"],
      waitingBytesMax: values["realtime-waiting-bytes-max"],
      streamMs: values["realtime-stream-timeout"] * 1_000,
      pingMs: values["realtime-ping"] * 1_000,
    },
    gatewayLimits: {
      timeoutMs: values["gateway-timeout"] * 1_000,
      idleMs: values["gateway-idle-timeout"] * 1_000,
      requestBytesMax: values["gateway-request-bytes-max"],
      responseBytesMax: values["gateway-response-bytes-max"],
      redirectsMax: values["gateway-redirects-max"],
    },
  };
}

function announce(
  kind: Kind,
  server: PawlServer,
  values: OptionValues,
  log: Log,
  startMs: number,
): void {
  const { url } = server;
  const where = values["in-memory"] ? "in memory" : `in ${values.dir}`;
  const fields = { url, hosts: server.hosts, startMs: Math.round(startMs) };
  log.info(fields, `pawl ${kind} listens on ${url} and keeps its data ${where}`);
  if (kind === "start" && values["event-key"].length === 0) {
    log.warn({}, "no event key is set, so no events can be sent: set one with --event-key");
  }
  if (kind === "start" && values["in-memory"])
    log.warn({}, "nothing is kept: everything is lost when the process ends");
}

function listenToSignals(server: PawlServer, log: Log, end: (code: number) => void): void {
  let signals = 0;
  const onSignal = (signal: string): void => {
    signals += 1;
    if (signals > 1) process.exit(1);
    const { callsUnderWay } = server.runtime.counts;
    log.info(
      { signal, callsUnderWay },
      `stopping; ${String(callsUnderWay)} call(s) under way; a second signal ends at once`,
    );
    end(0);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
