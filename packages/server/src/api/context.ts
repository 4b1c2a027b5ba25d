// What API routes may use of the server, and how they refuse. It must not know HTTP sockets.
import type { EngineCode } from "@pawl/engine/codes";
import type { Change } from "@pawl/engine/changes";
import type { CallTimes } from "@pawl/engine/explain/explanation";
import type { Reply } from "@pawl/engine/decision";
import type { HotState } from "@pawl/engine/state/hot-state";
import { ProtocolError } from "@pawl/protocol/protocol-error";
import type { UlidFactory } from "@pawl/protocol/ulid";
import type { Store } from "@pawl/store/store";
import { StoreError } from "@pawl/store/store-error";
import type { ServerKind } from "../http/gateway.ts";
import { problemResponse, type Problem } from "../http/problem.ts";
import type { HttpResponse } from "../http/response.ts";
import type { Queries } from "../query/queries.ts";
import { SearchError } from "../query/search.ts";
import type { CommandInput } from "../loop/batch.ts";
import type { Clock } from "../loop/clock.ts";
import type { Realtime } from "../realtime/realtime.ts";
import type { Counts } from "../loop/runtime.ts";
import type { Meter } from "../metrics/meter.ts";
import type { ExportCounts } from "../otlp/run-export.ts";
import { BodyError, ServerError } from "../server-error.ts";
import type { GraphqlLimits } from "./graphql/limit-values.ts";
import type { OutputTokens } from "./output-tokens.ts";
import type { Registrar } from "../sync/registrar.ts";

/** The part of the runtime that the API uses. */
export interface Backend {
  /** Resolves once the decision is committed; rejects with a `ServerError` when it could not be. */
  submit(command: CommandInput): Promise<Reply>;
  /** Replaced after a failed commit: never keep it. */
  readonly hot: HotState;
  readonly store: Store;
  /** How long calls of a function took lately; null: none ended since the start. */
  callTimes(functionId: string): CallTimes | null;
  /** How many calls of each function are under way. */
  callsByFunction(): ReadonlyMap<string, number>;
  /** How much is under way. */
  readonly counts: Counts;
  /** Tells each commit's changes, after it. Returns how to stop. */
  onCommit(listener: (changes: readonly Change[]) => void): () => void;
}

export interface ApiLimits {
  readonly eventBytesMax: number;
  readonly eventsPerRequestMax: number;
  readonly bodyBytesMax: number;
  /** Of one request with spans. */
  readonly traceBytesMax: number;
  readonly spansPerRequestMax: number;
  /** Runs that a dry run looks at, where only an expression can tell which are meant. */
  readonly previewRunsMax: number;
}

/** How the server was started, as `GET /dev` shows it (protocol.md 1.6). */
export interface StartOptions {
  readonly dir: string | null;
  readonly urls: readonly string[];
  readonly autodiscover: boolean;
  readonly poll: boolean;
  readonly poll_interval: number;
  readonly tick: number;
  readonly retry_interval: number;
  readonly require_keys: boolean;
}

export interface ApiContext {
  readonly kind: ServerKind;
  readonly backend: Backend;
  readonly queries: Queries;
  readonly meter: Meter;
  /** What became of the traces of ended runs; null: they go nowhere. */
  readonly exportCounts: () => ExportCounts | null;
  readonly realtime: Realtime;
  /** Of the outputs of durable endpoints. */
  readonly outputTokens: OutputTokens;
  /** Origins at which they may be called; none: on development servers any that an app tells of. */
  readonly endpointOrigins: readonly string[];
  readonly registrar: Registrar;
  /** Has the app at a URL synced now. Resolves with why it is not in sync, null when it is. */
  readonly syncApp: (url: string) => Promise<string | null>;
  readonly now: () => number;
  readonly after: Clock["after"];
  readonly clock: Clock;
  /** Told of failures that nobody foresaw and that are answered without details. */
  readonly onFault: (error: unknown) => void;
  /** The time of arrival of an event, which does not step back when the clock does. */
  readonly arrival: (now: number) => number;
  /** Internal event ids, ascending in order of arrival. */
  readonly ids: UlidFactory;
  readonly limits: ApiLimits;
  readonly graphqlLimits: GraphqlLimits;
  readonly startOptions: StartOptions;
}

const engineStatuses: Readonly<Record<EngineCode, number>> = {
  run_not_found: 404,
  run_ended: 409,
  run_not_ended: 409,
  history_pruned: 410,
  step_not_found: 404,
  step_input_unsupported: 400,
  bulk_not_found: 404,
  bulk_ended: 409,
  function_not_found: 404,
  run_skipped: 422,
  run_rate_limited: 422,
  signal_not_found: 404,
  signal_too_large: 413,
  metadata_target_not_found: 404,
  metadata_too_large: 413,
  metadata_invalid: 400,
  app_not_found: 404,
  combo_unsupported: 400,
  concurrency_limit_invalid: 400,
  batch_size_invalid: 400,
  batch_timeout_invalid: 400,
  schedule_invalid: 400,
  schedule_zone_invalid: 400,
  schedule_interval_invalid: 400,
  schedule_not_found: 404,
  schedule_exists: 409,
  schedule_busy: 409,
  schedules_too_many: 422,
  config_invalid: 400,
  run_exists: 409,
  endpoints_too_many: 422,
  dispatch_stale: 409,
  checkpoint_opcode_unsupported: 400,
};

/** The answer for a command that the engine refused. */
export function refusalResponse(
  reply: Extract<Reply, { ok: false }>,
  more?: Readonly<Record<string, unknown>>,
): HttpResponse {
  return problemResponse(refusalProblem(reply), more);
}

/** The answer for a run that does not exist, in the words of the engine's own code. */
export function runNotFound(runId: string): HttpResponse {
  const message = `There is no run ${runId}.`;
  return refusalResponse({ ok: false, code: "run_not_found", message });
}

/** The same as an error, for APIs that cannot hand a reply on. */
export function refusalError({ code, message }: Extract<Reply, { ok: false }>): ServerError {
  return new ServerError(code, message);
}

/** The same as a problem, for APIs that write refusals in another shape. */
export function refusalProblem({ code, message }: Extract<Reply, { ok: false }>): Problem {
  return { status: engineStatuses[code], code, message };
}

const temporary: ReadonlySet<string> = new Set([
  "overloaded",
  "draining",
  "stopped",
  "shard_elsewhere",
  "store_full",
  "store_locked",
  "store_fenced",
  "store_closed",
]);

function statusOf(code: string): number {
  const known = errorStatuses.get(code);
  return known ?? (temporary.has(code) ? 503 : 500);
}

const errorStatuses: ReadonlyMap<string, number> = new Map<string, number>([
  ...Object.entries(engineStatuses),
  ["parameter_invalid", 400],
  ["body_invalid", 400],
  ["query_too_large", 400],
  ["event_not_found", 404],
  ["output_not_found", 404],
  ["spans_too_many", 413],
  ["app_sync_failed", 422],
  ["not_implemented", 501],
]);

/** Translates a failure of a route into an answer; null when it is none that is known. */
export function explainFailure(error: unknown): Problem | null {
  if (error instanceof ProtocolError) {
    return {
      status: error.code.endsWith("_too_large") ? 413 : 400,
      code: error.code,
      message: error.message,
    };
  }
  if (error instanceof SearchError) {
    const { code, message, position } = error;
    return { status: 400, code, message, position };
  }
  if (error instanceof BodyError && error.fault !== null) {
    const { code, message, fault } = error;
    return { status: 400, code, message, fault };
  }
  if (error instanceof ServerError || error instanceof StoreError) {
    const { code, message } = error;
    return { status: statusOf(code), code, message };
  }
  return null;
}
