// The GraphQL schema of `/v0/gql` (protocol.md 8.4), as text. Names and nullability are those that
// existing clients rely on. It must not know how fields are resolved.

import { spanDefinitions } from "./schema-spans.ts";

/** Schema definition language. Times are RFC 3339; `Bytes` is JSON text. */
export const typeDefinitions = /* GraphQL */ `
  ${spanDefinitions}

  scalar Time
  scalar ULID
  scalar UUID
  scalar Bytes
  scalar Map

  type Query {
    apps(filter: AppsFilter): [App!]!
    app(id: UUID!): App
    functions: [Function!]
    functionBySlug(query: FunctionQuery!): Function
    stream(query: StreamQuery!): [StreamItem!]!
    event(query: EventQuery!): Event
    events(query: EventsQuery!): [Event!]
    eventV2(id: ULID!): EventV2!
    eventsV2(first: Int! = 50, after: String, filter: EventsFilter!): EventsConnection!
    functionRun(query: FunctionRunQuery!): FunctionRun
    runs(
      first: Int! = 40
      after: String
      orderBy: [RunsV2OrderBy!]!
      filter: RunsFilterV2!
      preview: Boolean
    ): RunsV2Connection!
    run(runID: String!): FunctionRunV2
    runTrace(runID: String!): RunTraceSpan!
    runTraceSpanOutputByID(outputID: String!): RunTraceSpanOutput!
    runTrigger(runID: String!): RunTraceTrigger!
    workerConnections(
      first: Int! = 40
      after: String
      orderBy: [ConnectV1WorkerConnectionsOrderBy!]
      filter: ConnectV1WorkerConnectionsFilter
    ): ConnectV1WorkerConnectionsConnection!
    workerConnection(connectionId: ULID!): ConnectV1WorkerConnection
  }

  type Mutation {
    createApp(input: CreateAppInput!): App!
    updateApp(input: UpdateAppInput!): App!
    deleteApp(id: String!): String!
    deleteAppByName(name: String!): Boolean!
    invokeFunction(data: Map, functionSlug: String!, user: Map): Boolean
    cancelRun(runID: ULID!): FunctionRunV2!
    rerun(runID: ULID!, fromStep: RerunFromStepInput): ULID!
    createDebugSession(input: CreateDebugSessionInput!): CreateDebugSessionResponse!
  }

  enum AppMethod {
    SERVE
    CONNECT
    API
  }
  input AppsFilter {
    connectionType: AppMethod
    method: AppMethod
  }
  input CreateAppInput {
    url: String!
  }
  input UpdateAppInput {
    id: String!
    url: String!
  }
  input CreateDebugSessionInput {
    functionSlug: String!
    runID: String
    workspaceId: ID
  }
  type CreateDebugSessionResponse {
    debugSessionID: ULID!
    debugRunID: ULID!
  }
  input RerunFromStepInput {
    stepID: String!
    input: Bytes
  }
  input FunctionQuery {
    functionSlug: String!
  }
  input StreamQuery {
    after: Time
    before: Time
    limit: Int! = 40
    includeInternalEvents: Boolean = false
  }
  input EventQuery {
    eventId: ID!
    workspaceId: ID
  }
  input EventsQuery {
    name: String
    lastEventId: ID
    workspaceId: ID
  }
  input EventsFilter {
    eventNames: [String!]
    from: Time!
    until: Time
    includeInternalEvents: Boolean! = true
    query: String
  }
  input FunctionRunQuery {
    functionRunId: ID!
    workspaceId: ID
  }

  type App {
    id: ID!
    externalID: String!
    name: String!
    url: String
    sdkLanguage: String!
    sdkVersion: String!
    framework: String
    platform: String
    checksum: String
    error: String
    connected: Boolean!
    functions: [Function!]!
    functionCount: Int!
    autodiscovered: Boolean!
    appVersion: String
    method: AppMethod!
  }

  enum FunctionTriggerTypes {
    EVENT
    CRON
  }
  type FunctionTrigger {
    type: FunctionTriggerTypes!
    value: String!
    condition: String
  }
  type Function {
    id: String!
    name: String!
    slug: String!
    config: String!
    concurrency: Int!
    triggers: [FunctionTrigger!]
    url: String!
    appID: String!
    app: App!
    isPaused: Boolean!
    retries: Int!
  }

  enum FunctionRunStatus {
    QUEUED
    RUNNING
    COMPLETED
    FAILED
    CANCELLED
    SKIPPED
  }
  enum EventStatus {
    RUNNING
    COMPLETED
    PAUSED
    FAILED
    PARTIALLY_FAILED
    NO_FUNCTIONS
  }
  enum StreamType {
    EVENT
    CRON
  }

  type StreamItem {
    id: ID!
    trigger: String!
    type: StreamType!
    createdAt: Time!
    runs: [FunctionRun]
    inBatch: Boolean!
  }
  type Event {
    id: ID!
    externalID: String
    name: String
    createdAt: Time
    payload: String
    raw: String
    status: EventStatus
    totalRuns: Int
    pendingRuns: Int
    functionRuns: [FunctionRun!]
  }
  type EventV2 {
    id: ULID!
    envID: UUID!
    name: String!
    idempotencyKey: String
    occurredAt: Time!
    receivedAt: Time!
    raw: String!
    version: String
    runs: [FunctionRunV2!]!
  }
  type EventsEdge {
    node: EventV2!
    cursor: String!
  }
  type EventsConnection {
    edges: [EventsEdge!]!
    pageInfo: PageInfo!
    "Events that a search (filter.query) looked at for this page; null for a plain list."
    scanned: Int
  }
  type PageInfo {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }

  type FunctionRun {
    id: ID!
    functionID: String!
    function: Function
    status: FunctionRunStatus
    startedAt: Time
    finishedAt: Time
    output: String
    eventID: ID!
    event: Event
    batchID: ULID
    batchCreatedAt: Time
    cron: String
  }
  type FunctionRunV2 {
    id: ULID!
    appID: UUID!
    app: App
    functionID: UUID!
    function: Function
    status: FunctionRunStatus!
    queuedAt: Time!
    startedAt: Time
    endedAt: Time
    output: Bytes
    sourceID: String
    triggerIDs: [ULID!]!
    traceID: String!
    isBatch: Boolean!
    batchCreatedAt: Time
    cronSchedule: String
    eventName: String
    hasAI: Boolean!
    trace(preview: Boolean): RunTraceSpan
    "Functions that it has deferred until its end."
    defers: [RunDefer!]!
    "The run that has deferred this one."
    deferredFrom: RunDeferredFrom
  }
  enum RunDeferStatus {
    SCHEDULED
    ABORTED
    REJECTED
  }
  type RunDefer {
    id: String!
    userDeferID: String
    fnSlug: String!
    status: RunDeferStatus!
    "Why it was rejected."
    reason: String
    "The run that it started; null before the end of its parent."
    run: FunctionRunV2
  }
  type RunDeferredFrom {
    parentRunID: ULID!
    parentFnSlug: String!
    parentRun: FunctionRunV2
  }
  enum RunsV2OrderByField {
    QUEUED_AT
    STARTED_AT
    ENDED_AT
  }
  enum OrderDirection {
    ASC
    DESC
  }
  input RunsV2OrderBy {
    field: RunsV2OrderByField!
    direction: OrderDirection!
  }
  input RunsFilterV2 {
    from: Time!
    until: Time
    timeField: RunsV2OrderByField
    status: [FunctionRunStatus!]
    functionIDs: [UUID!]
    appIDs: [UUID!]
    query: String
  }
  type FunctionRunV2Edge {
    node: FunctionRunV2!
    cursor: String!
  }
  type RunsV2Connection {
    edges: [FunctionRunV2Edge!]!
    pageInfo: PageInfo!
    "-1 for a search: every run would have to be looked at."
    totalCount: Int!
    "Runs that a search (filter.query) looked at for this page; null for a plain list."
    scanned: Int
  }

  input ConnectV1WorkerConnectionsOrderBy {
    field: String!
    direction: OrderDirection!
  }
  input ConnectV1WorkerConnectionsFilter {
    from: Time
    until: Time
    status: [String!]
    appIDs: [UUID!]
  }
  type ConnectV1WorkerConnection {
    id: ULID!
    appID: UUID
    status: String!
    connectedAt: Time!
  }
  type ConnectV1WorkerConnectionEdge {
    node: ConnectV1WorkerConnection!
    cursor: String!
  }
  type ConnectV1WorkerConnectionsConnection {
    edges: [ConnectV1WorkerConnectionEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
  }
`;
