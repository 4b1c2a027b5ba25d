// Every limit and choice the engine knows, with its default. Shells override single fields from
// flags, environment and config file; names end in the unit.

import { listedModelPrices, type ModelPrices } from "./metadata/model-prices.ts";
import type { OnCancel } from "./records.ts";

export interface Settings {
  /** Counts the owners of a store: goes up by one at each start, and fences the ones before. */
  readonly epoch: number;
  /** Constant backoff instead of the table (`--retry-interval`); null: the table with jitter. */
  readonly retryIntervalMs: number | null;
  /** Retries of a function whose registration names none. */
  readonly retriesDefault: number;
  /** Most retries a function or a step may ask for. */
  readonly retriesMax: number;
  /** Calls in flight to one app; more wait in the queue of the app's gate. */
  readonly callsPerAppMax: number;
  /** Requests of `step.fetch` and `step.ai.infer` under way at once; more wait in queues. */
  readonly gatewayCallsMax: number;
  /**
   * Calls of one function that may wait in queues; a run that would come on top is skipped. Null:
   * any number.
   */
  readonly backlogMax: number | null;
  /** Data of the events of one batch, in UTF-16 units of their JSON: a batch that has it goes out. */
  readonly batchCharsMax: number;
  /** How long a call may stay out before it counts as lost: the request limit and some grace. */
  readonly leaseMs: number;
  /** Steps in one run. */
  readonly stepsPerRunMax: number;
  /** Sum of all memos of one run, in UTF-16 units of their JSON. */
  readonly runStateCharsMax: number;
  /** Spans of user code that are kept of one run. */
  readonly userSpansPerRunMax: number;
  /** Sum of all of them, in bytes of UTF-8 (`userSpanBytes`). */
  readonly userSpanBytesPerRunMax: number;
  /** One step's output, in UTF-16 units of its JSON. */
  readonly stepOutputCharsMax: number;
  /** Sum of all metadata of one run, in UTF-16 units: kinds, and values as JSON. */
  readonly runMetadataCharsMax: number;
  /** Entries of metadata of one run: one for each kind of each step, attempt or span. */
  readonly runMetadataMax: number;
  /** What models cost, for `estimated_cost`. */
  readonly modelPrices: ModelPrices;
  /** Functions that one run may defer, aborted ones included; further ones are rejected. */
  readonly defersPerRunMax: number;
  /** Input and meta of one of them, in UTF-16 units of their JSON. */
  readonly deferCharsMax: number;
  /** The same of all those of one run that wait for its end. */
  readonly deferCharsPerRunMax: number;
  /** Longest sleep; waits and invocations have their time-outs then at the latest. A year by default. */
  readonly waitMaxMs: number;
  /**
   * What becomes of runs that a cancelled run has invoked, where its SDK does not say: the published
   * ones cannot, and their server lets such runs go on.
   */
  readonly onCancelDefault: OnCancel;
  /** How long an event id keeps a second event with that id from starting a function again. */
  readonly idempotencyMs: number;
  /**
   * How late a tick of a schedule may start its function, when the server was down at its time. Of
   * several missed ticks only the latest ever does. Null: however late it is.
   */
  readonly scheduleLateMaxMs: number | null;
  /** Schedules made at runtime. */
  readonly schedulesMax: number;
  /** Missed ticks of one schedule that catch-up `all` makes up for, the latest ones. */
  readonly scheduleCatchUpMax: number;
  /** How late a tick may be and still count as on time, for schedules whose catch-up is `none`. */
  readonly scheduleOnTimeMs: number;
  /** Waits tested against an event in one decision; more go on in the next. */
  readonly waitsPageSize: number;
  /** Events tested when a wait looks back, per source (index and scan). */
  readonly lookbackEventsMax: number;
  /** Events that one step may wait for. */
  readonly waitBranchesMax: number;
  /** Length of the name of a signal, in UTF-16 units. */
  readonly signalNameCharsMax: number;
  /** What a signal carries, in UTF-16 units of its JSON. */
  readonly signalDataCharsMax: number;
  /**
   * How long an app may say nothing about a run that it carries itself, before the server calls its
   * endpoint again: longer than any step of an endpoint takes.
   */
  readonly endpointSilenceMs: number;
  /** Endpoints that may be known, all apps together. */
  readonly endpointsMax: number;
  /** Discoveries in a row that may bring nothing new before the run fails. */
  readonly idleDiscoveriesMax: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export const defaultSettings: Settings = {
  epoch: 0,
  retryIntervalMs: null,
  retriesDefault: 3,
  retriesMax: 20,
  callsPerAppMax: 256,
  gatewayCallsMax: 256,
  backlogMax: null,
  batchCharsMax: 10 * 1024 * 1024,
  leaseMs: 2 * hour + minute,
  stepsPerRunMax: 100_000,
  runStateCharsMax: 32 * 1024 * 1024,
  userSpansPerRunMax: 5_000,
  userSpanBytesPerRunMax: 8 * 1024 * 1024,
  stepOutputCharsMax: 4 * 1024 * 1024,
  runMetadataCharsMax: 1024 * 1024,
  runMetadataMax: 5_000,
  modelPrices: listedModelPrices,
  defersPerRunMax: 20,
  deferCharsMax: 4 * 1024 * 1024,
  deferCharsPerRunMax: 4 * 1024 * 1024,
  waitMaxMs: 366 * day,
  onCancelDefault: "abandon",
  idempotencyMs: day,
  scheduleLateMaxMs: null,
  schedulesMax: 10_000,
  scheduleCatchUpMax: 100,
  scheduleOnTimeMs: 10_000,
  waitsPageSize: 500,
  lookbackEventsMax: 1_000,
  waitBranchesMax: 10,
  signalNameCharsMax: 256,
  signalDataCharsMax: 512 * 1024,
  endpointSilenceMs: 10 * minute,
  endpointsMax: 1_000,
  idleDiscoveriesMax: 10,
};
