// The closed list of codes with which the engine refuses a command. Shells map them to statuses.

export type EngineCode =
  /** No run with this id, or its history was removed by retention. */
  | "run_not_found"
  /** The run has already ended, so that the command can no longer matter. */
  | "run_ended"
  /** The run has not ended, so that it cannot be started again. */
  | "run_not_ended"
  /** The run is there, but retention has removed events that it would be started with. */
  | "history_pruned"
  /** The run has no finished step with this id. */
  | "step_not_found"
  /** The step takes no input: it does not run code of the app. */
  | "step_input_unsupported"
  /** No bulk action with this id, or retention has removed it. */
  | "bulk_not_found"
  /** The bulk action has ended. */
  | "bulk_ended"
  /** No function with this slug is registered. */
  | "function_not_found"
  /** The function's flow control let no run start; the message names the rule. */
  | "run_skipped"
  /** The function's rate limit let no run start. */
  | "run_rate_limited"
  /** Nobody waits for the signal. */
  | "signal_not_found"
  /** The name of the signal, or what it carries, is larger than allowed. */
  | "signal_too_large"
  /** The run has no step, or the step no attempt, for which metadata is meant. */
  | "metadata_target_not_found"
  /** The run would have more metadata than allowed; the message names limit and setting. */
  | "metadata_too_large"
  /** Values that cannot be combined with those that are there: something was to be added to no number. */
  | "metadata_invalid"
  /** No app with this id is registered. */
  | "app_not_found"
  /** Options of a function that contradict each other (protocol.md 1.3). */
  | "combo_unsupported"
  /** Too many concurrency limits, or a shared one without a key. */
  | "concurrency_limit_invalid"
  /** `batchEvents.maxSize` is out of its range. */
  | "batch_size_invalid"
  /** `batchEvents.timeout` is out of its range. */
  | "batch_timeout_invalid"
  /** A cron line that cannot be read, or names a time that never comes. */
  | "schedule_invalid"
  /** A schedule's time zone is not known. */
  | "schedule_zone_invalid"
  /** The interval of a schedule is out of its range. */
  | "schedule_interval_invalid"
  /** No schedule with this id was made at runtime, or it was deleted. */
  | "schedule_not_found"
  /** There is a schedule with this id already. */
  | "schedule_exists"
  /** The server has as many schedules as setting `schedulesMax` allows. */
  | "schedules_too_many"
  /** A run of the schedule goes on, and its overlap lets no other start. */
  | "schedule_busy"
  /** A registered configuration that cannot work; the message names function and field. */
  | "config_invalid"
  /** There is a run with this id already. */
  | "run_exists"
  /** The server knows as many endpoints as setting `endpointsMax` allows. */
  | "endpoints_too_many"
  /** The sender was called with a dispatch that is no longer the current one. */
  | "dispatch_stale"
  /** A checkpoint brought an opcode that belongs into an answer. */
  | "checkpoint_opcode_unsupported";
