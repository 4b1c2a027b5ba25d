// Records for the contract: complete, small, deterministic. Tests override what they are about.
import { toJsonText } from "@pawl/protocol/json-text";
import type { DeferRecord } from "@pawl/engine/defer-records";
import type {
  AppRecord,
  AttemptRecord,
  CallJob,
  DeadlineJob,
  EventRecord,
  InvokeJob,
  RunRecord,
  SignalJob,
  SleepJob,
  StepRecord,
  WaitJob,
  WaitManyJob,
  WaitRecord,
} from "@pawl/engine/records";
import type { UserSpan } from "@pawl/engine/user-spans";
import type { BulkRecord } from "@pawl/engine/bulk-records";
import type { MetadataRecord } from "@pawl/engine/metadata-records";
import type { RuntimeSchedule, TriggerSchedule } from "@pawl/engine/schedule-records";

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID whose order is that of `n`, from 0. */
export function ulidSample(n: number): string {
  let text = "";
  for (let rest = n; text.length < 16; rest = Math.floor(rest / 32))
    text = digits.charAt(rest % 32) + text;
  return `01K6ZZZZZZ${text}`;
}

/** A hash in hex whose order is that of `n`. */
export function hashSample(n: number): string {
  return n.toString(16).padStart(40, "0");
}

/** Some moment; all samples lie around it. */
export const baseTime = 1_700_000_000_000;

export function appSample(overrides: Partial<AppRecord> = {}): AppRecord {
  const id = overrides.id ?? "5f2d6a52-94f1-5d29-8a3b-111111111111";
  return {
    id,
    name: "shop",
    url: "http://127.0.0.1:3000/api/inngest",
    sdk: "js:v4.24.0",
    framework: "express",
    platform: null,
    appVersion: null,
    checksum: "c0ffee",
    error: null,
    functions: [
      {
        id: "0b7a4a0e-5d0c-5a7e-9d6f-222222222222",
        slug: "shop-order",
        name: "Order",
        appId: id,
        url: "http://127.0.0.1:3000/api/inngest?fnId=shop-order&stepId=step",
        triggers: [
          { kind: "event", event: "order/*", expression: 'event.data.kind == "ü"' },
          { kind: "cron", cron: "0 * * * *" },
        ],
        retries: 3,
        version: 1,
        config: toJsonText({ id: "shop-order", steps: { step: {} } }),
        pausedAt: null,
      },
    ],
    createdAt: baseTime,
    updatedAt: baseTime + 1,
    ...overrides,
  };
}

/** Event `n` arrives `n` ms after `baseTime`. */
export function eventSample(n: number, overrides: Partial<EventRecord> = {}): EventRecord {
  return {
    id: ulidSample(n),
    name: "order/created",
    externalId: null,
    ts: baseTime + n - 5,
    receivedAt: baseTime + n,
    data: toJsonText({ n }),
    user: null,
    version: null,
    meta: null,
    ...overrides,
  };
}

export function runSample(n: number, overrides: Partial<RunRecord> = {}): RunRecord {
  return {
    id: ulidSample(n),
    functionId: "0b7a4a0e-5d0c-5a7e-9d6f-222222222222",
    appId: "5f2d6a52-94f1-5d29-8a3b-111111111111",
    functionVersion: 1,
    status: "queued",
    eventIds: [ulidSample(n)],
    eventName: "order/created",
    queuedAt: baseTime + n,
    startedAt: null,
    endedAt: null,
    requestVersion: -1,
    forcePlan: false,
    generation: 0,
    idleDiscoveries: 0,
    parent: null,
    originalRunId: null,
    coParents: [],
    endReason: null,
    gates: [],
    holds: [],
    priorityMs: 0,
    batchId: null,
    schedule: null,
    ...overrides,
  };
}

/** Due at `baseTime`. */
export function scheduleSample(
  id: string,
  overrides: Partial<TriggerSchedule> = {},
): TriggerSchedule {
  return {
    kind: "trigger",
    id,
    functionId: "0b7a4a0e-5d0c-5a7e-9d6f-222222222222",
    cron: "TZ=Europe/Berlin 0 * * * *",
    jitterMs: 0,
    nextAt: baseTime,
    dueAt: baseTime,
    lastAt: null,
    ...overrides,
  };
}

/** Goes on, nothing done yet. */
export function bulkSample(n: number, overrides: Partial<BulkRecord> = {}): BulkRecord {
  return {
    id: ulidSample(n),
    kind: "cancel",
    selection: {
      functionIds: ["0b7a4a0e-5d0c-5a7e-9d6f-222222222222"],
      appIds: null,
      statuses: ["queued", "running"],
      from: null,
      until: baseTime,
      expression: null,
    },
    createdAt: baseTime,
    state: "active",
    endedAt: null,
    cursor: null,
    underWay: [],
    examined: 0,
    matched: 0,
    done: 0,
    failed: 0,
    problem: null,
    ...overrides,
  };
}

export function stepSample(seq: number, overrides: Partial<StepRecord> = {}): StepRecord {
  return {
    id: hashSample(seq),
    seq,
    op: "run",
    displayName: `step ${seq}`,
    userId: `step ${seq}`,
    userIndex: 0,
    stepType: "step",
    status: "completed",
    attempts: 1,
    queuedAt: baseTime,
    startedAt: baseTime + 1,
    endedAt: baseTime + 2,
    memo: toJsonText({ type: "data", data: seq }),
    opts: null,
    ...overrides,
  };
}

export function deferSample(seq: number, overrides: Partial<DeferRecord> = {}): DeferRecord {
  return {
    id: hashSample(seq),
    userId: "afterwards",
    seq,
    functionSlug: "shop-scorer",
    status: "scheduled",
    input: toJsonText({ n: seq }),
    meta: null,
    reason: null,
    eventId: null,
    addedAt: baseTime + seq,
    ...overrides,
  };
}

export function attemptSample(runId: string, attempt: number): AttemptRecord {
  return {
    runId,
    stepId: "step",
    displayName: "Order",
    attempt,
    startedAt: baseTime + 10 * attempt,
    endedAt: baseTime + 10 * attempt + 1,
    error: toJsonText({ name: "Error", message: "no" }),
    retryAt: attempt === 1 ? null : baseTime + 10 * attempt + 9,
  };
}

/** Noted about the run, or about step `n` of it. */
export function metadataSample(
  runId: string,
  n: number,
  more: Partial<MetadataRecord> = {},
): MetadataRecord {
  return {
    runId,
    scope: n === 0 ? "run" : "step",
    stepId: n === 0 ? null : hashSample(n),
    attempt: null,
    spanId: null,
    kind: "userland.default",
    values: toJsonText({ n }),
    updatedAt: baseTime + n,
    ...more,
  };
}

function jobBase(runId: string, id: string) {
  return {
    runId,
    id,
    displayName: "charge",
    userId: "charge",
    userIndex: 0,
    stepType: null,
    opts: null,
    parallel: false,
    race: false,
    queuedAt: baseTime,
  };
}

/** Delayed until `baseTime`. */
export function callSample(runId: string, overrides: Partial<CallJob> = {}): CallJob {
  return {
    ...jobBase(runId, "step"),
    kind: "call",
    target: "step",
    attempt: 0,
    attemptsMax: 4,
    generation: 0,
    gateway: null,
    again: false,
    input: null,
    state: { at: "delayed", dueAt: baseTime },
    ...overrides,
  };
}

export function sleepSample(runId: string, n: number, dueAt: number): SleepJob {
  return { ...jobBase(runId, hashSample(n)), kind: "sleep", dueAt };
}

export function deadlineSample(runId: string, dueAt: number): DeadlineJob {
  return { ...jobBase(runId, "deadline:finish"), kind: "deadline", dueAt };
}

export function waitJobSample(runId: string, n: number, overrides: Partial<WaitJob> = {}): WaitJob {
  return {
    ...jobBase(runId, hashSample(n)),
    kind: "wait",
    dueAt: baseTime + 100,
    event: "order/paid",
    expression: "async.data.id == event.data.id",
    opts: toJsonText({ event: "order/paid" }),
    ...overrides,
  };
}

/** Waits for one of each of two events, of which one has come. */
export function waitManySample(
  runId: string,
  n: number,
  overrides: Partial<WaitManyJob> = {},
): WaitManyJob {
  const paid = { name: "paid", event: "order/paid", expression: "async.data.id == event.data.id" };
  return {
    ...jobBase(runId, hashSample(n)),
    kind: "waitMany",
    dueAt: baseTime + 100,
    mode: "all",
    branches: [
      { ...paid, received: null },
      { name: "ü", event: "sent", expression: null, received: toJsonText({ id: "e", data: {} }) },
    ],
    ...overrides,
  };
}

export function signalSample(runId: string, n: number, signal: string): SignalJob {
  return { ...jobBase(runId, hashSample(n)), kind: "signal", dueAt: baseTime + 100, signal };
}

export function invokeSample(
  runId: string,
  n: number,
  overrides: Partial<InvokeJob> = {},
): InvokeJob {
  return {
    ...jobBase(runId, hashSample(n)),
    kind: "invoke",
    dueAt: baseTime + 200,
    functionSlug: "shop-ship",
    childRunId: ulidSample(777),
    ...overrides,
  };
}

export function waitSample(
  runId: string,
  n: number,
  overrides: Partial<WaitRecord> = {},
): WaitRecord {
  return {
    runId,
    jobId: hashSample(n),
    event: "order/paid",
    key: { path: "data.id", hash: "00ff00ff00ff00ff" },
    expression: "async.data.id == event.data.id",
    trigger: toJsonText({ data: { id: 1 } }),
    expiresAt: baseTime + 100,
    ...overrides,
  };
}

/** Made at `baseTime`, every hour, due at no time. */
export function runtimeSample(
  id: string,
  overrides: Partial<RuntimeSchedule> = {},
): RuntimeSchedule {
  return {
    kind: "runtime",
    id,
    timing: { kind: "every", everyMs: 3_600_000 },
    target: {
      kind: "event",
      name: "report/due",
      data: toJsonText({ tenant: "ü" }),
      user: null,
      version: null,
      meta: null,
    },
    jitterMs: 0,
    startAt: null,
    endAt: null,
    overlap: "queue_one",
    catchUp: "one",
    catchUpWindowMs: null,
    createdAt: baseTime,
    updatedAt: baseTime,
    nextAt: null,
    dueAt: null,
    lastAt: null,
    pausedAt: null,
    pauseReason: null,
    queued: { at: baseTime, isManual: false },
    runIds: [ulidSample(1)],
    fired: 1,
    skipped: 2,
    missed: 3,
    last: null,
    problem: null,
    ...overrides,
  };
}

/** The nth span of user code in a run. */
export function userSpanSample(
  runId: string,
  n: number,
  overrides: Partial<UserSpan> = {},
): UserSpan {
  return {
    runId,
    id: n.toString(16).padStart(16, "a"),
    parentId: null,
    traceId: "0af7651916cd43dd8448eb211c80319c",
    stepId: null,
    stepSpanId: null,
    attempt: null,
    call: { target: "step", attempt: 0 },
    name: `span ${n}`,
    kind: "internal",
    failed: false,
    startedUs: baseTime * 1_000 + n,
    endedUs: baseTime * 1_000 + n + 500,
    details: toJsonText({ attributes: { n } }),
    ...overrides,
  };
}
