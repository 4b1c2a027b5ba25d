// The public API of the package: what `import { … } from "pawl"` offers, and nothing else.
// The one index of this package; everything else is imported from its own file.
export { Pawl } from "./client/pawl.ts";
export type {
  FailureHandler,
  FunctionOptions,
  FunctionOptionsWithTriggers,
  Handler,
  PawlOptions,
} from "./client/pawl.ts";
export type { Connection, ConnectionOptions } from "./client/connection.ts";
export type {
  Schedule,
  ScheduleCatchUp,
  ScheduleChanges,
  ScheduleOptions,
  ScheduleOverlap,
  SchedulePage,
  Schedules,
  ScheduleSettings,
  ScheduleStart,
  ScheduleTarget,
  ScheduleTiming,
} from "./client/schedules.ts";
export type { SendResult } from "./client/send.ts";
export type { OutgoingSignal, SignalResult } from "./client/signals.ts";
export type { Duration, DurationObject, Moment, MomentObject } from "./durations.ts";
export {
  InvokeTimeoutError,
  NonRetriableError,
  PawlError,
  RetryAfterError,
  StepError,
} from "./errors.ts";
export type { PawlErrorCode, StepErrorDetails } from "./errors.ts";
export type {
  EventData,
  EventError,
  EventName,
  EventOf,
  EventSchemas,
  FunctionCancelledEvent,
  FunctionFailedEvent,
  FunctionFinishedEvent,
  InternalEvents,
  NoSchemas,
  OutgoingEvent,
  PawlEvent,
  ReceivableName,
  ScheduledEvent,
  Sendable,
  SendableEvent,
} from "./events/event-types.ts";
export type {
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchemaV1,
} from "./events/standard-schema.ts";
export type {
  BatchOptions,
  CancelOptions,
  CheckpointOptions,
  ConcurrencyOptions,
  CronTrigger,
  DebounceOptions,
  EventOfTriggers,
  EventTrigger,
  FlowOptions,
  FunctionSettings,
  InvokableData,
  LimitScope,
  PriorityOptions,
  RateLimitOptions,
  SingletonOptions,
  ThrottleOptions,
  TimeoutOptions,
  Trigger,
  TriggerName,
  Triggers,
} from "./functions/options.ts";
export { referenceFunction } from "./functions/invoke-target.ts";
export type {
  InvokeData,
  InvokeDataOf,
  InvokeTarget,
  OutputOf,
} from "./functions/invoke-target.ts";
export { PawlFunction } from "./functions/pawl-function.ts";
export type { FailureDetails, HandlerBase, HandlerContext } from "./handler-context.ts";
export type { Logger, LogLevel } from "./logger.ts";
export type { AdditionsOf, CallInfo, Middleware, Outcome, StepInfo } from "./middleware.ts";
export type { Runtime } from "./runtime.ts";
export { createHandler, defaultServePath } from "./serve/handler.ts";
export type { ServeHandler } from "./serve/handler.ts";
export type { ServeRequest, ServeResponse } from "./serve/messages.ts";
export type { ServeOptions } from "./serve/service.ts";
export type { AiModel, FetchStepInit, InferOptions } from "./steps/gateway-types.ts";
export type {
  AiStepTools,
  AllEvents,
  FirstEvent,
  InvokeOptions,
  NamedEvents,
  ReceivedSignal,
  OnCancel,
  RunStepOptions,
  StepId,
  StepIdOptions,
  StepTools,
  WaitForEventsOptions,
  WaitForSignalOptions,
  WaitOptions,
} from "./steps/step-tools.ts";
export { decodeValue } from "./values/decode.ts";
export { encodeValue } from "./values/encode.ts";
export type { EncodedValue } from "./values/encode.ts";
export type { TypeNotes, TypeTag } from "./values/tags.ts";
export { sdkVersion } from "./version.ts";
