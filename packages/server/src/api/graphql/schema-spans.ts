// The part of the GraphQL schema that shows traces (protocol.md 8.4), as text. It must not know how
// fields are resolved.

/** Types of spans, of their outputs, and of what started a run. */
export const spanDefinitions = /* GraphQL */ `
  enum RunTraceSpanStatus {
    QUEUED
    RUNNING
    COMPLETED
    FAILED
    CANCELLED
    WAITING
    SKIPPED
  }
  enum StepOp {
    RUN
    SLEEP
    WAIT_FOR_EVENT
    INVOKE
    AI_GATEWAY
    WAIT_FOR_SIGNAL
  }
  type RunTraceSpan {
    appID: UUID!
    functionID: UUID!
    runID: ULID!
    run: FunctionRunV2
    spanID: String!
    traceID: String!
    parentSpanID: String
    name: String!
    status: RunTraceSpanStatus!
    attempts: Int
    duration: Int
    outputID: String
    queuedAt: Time!
    startedAt: Time
    endedAt: Time
    childrenSpans: [RunTraceSpan!]!
    stepOp: StepOp
    stepType: String!
    stepID: String
    stepInfo: StepInfo
    isRoot: Boolean!
    isUserland: Boolean!
    userlandSpan: UserlandSpan
    metadata: [SpanMetadata!]!
    debugRunID: ULID
    debugSessionID: ULID
    debugPaused: Boolean!
  }
  type UserlandSpan {
    spanName: String
    spanKind: String
    serviceName: String
    scopeName: String
    scopeVersion: String
    spanAttrs: Bytes
    resourceAttrs: Bytes
  }
  type SpanMetadata {
    scope: String!
    kind: String!
    values: Map!
    updatedAt: Time!
  }
  union StepInfo =
    | InvokeStepInfo
    | SleepStepInfo
    | WaitForEventStepInfo
    | WaitForSignalStepInfo
    | RunStepInfo
  type InvokeStepInfo {
    triggeringEventID: ULID
    functionID: String!
    timeout: Time!
    returnEventID: ULID
    runID: ULID
    timedOut: Boolean
  }
  type SleepStepInfo {
    sleepUntil: Time!
  }
  type WaitForEventStepInfo {
    eventName: String!
    expression: String
    timeout: Time!
    foundEventID: ULID
    timedOut: Boolean
  }
  type WaitForSignalStepInfo {
    signal: String!
    timeout: Time!
    timedOut: Boolean
  }
  type RunStepInfo {
    type: String
  }
  type RunTraceSpanOutput {
    input: Bytes
    data: Bytes
    error: StepError
  }
  type StepError {
    message: String!
    name: String
    stack: String
    cause: Map
  }
  type RunTraceTrigger {
    eventName: String
    IDs: [ULID!]!
    payloads: [Bytes!]!
    timestamp: Time!
    isBatch: Boolean!
    batchID: ULID
    cron: String
  }
`;
