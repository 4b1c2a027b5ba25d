// What answers of the REST API v1 hold (protocol.md 8.2), for its description. The writers are beside the
// routes; a test holds both against each other. It must not know how an answer is made.
import { z } from "zod";
import { metadataScopes } from "@pawl/protocol/metadata-wire";
import { spanStatusWords, stepOpWords } from "./words.ts";
import { userSpanV1Schema } from "./user-span-json.ts";

const time = z.iso.datetime();

/** An event. */
export const eventSchema = z.object({
  internal_id: z.string().describe("ULID that the server gave it."),
  accountID: z.string(),
  environmentID: z.string(),
  source: z.string(),
  sourceID: z.string().nullable(),
  receivedAt: time,
  id: z.string().describe("As its sender chose it, or the internal one."),
  name: z.string(),
  ts: z.int(),
  v: z.string().nullable(),
  data: z.json(),
  user: z.json(),
  meta: z.json(),
});

/** One run, in the older shape. */
export const oneRunSchema = z.object({
  run_id: z.string(),
  run_started_at: time,
  function_id: z.string(),
  function_version: z.int(),
  environment_id: z.string(),
  event_id: z.string().nullable(),
  batch_id: z.string().nullable(),
  original_run_id: z.string().nullable(),
  cron: z.string().nullable(),
  status: z.enum(["Running", "Completed", "Failed", "Cancelled", "Skipped"]),
  ended_at: time.nullable(),
  end_reason: z.string().nullable(),
  output: z.json(),
});

/** What names a run. */
export const runIdSchema = z.object({ run_id: z.string() });

/** What a run still waits for. */
export const jobSchema = z.object({
  id: z.string(),
  run_id: z.string(),
  kind: z.string(),
  status: z.string(),
  step_id: z.string(),
  name: z.string(),
  attempt: z.int(),
  queued_at: time,
  due_at: time.nullable(),
});

const stepInfoSchema = z.object({
  sleep_until: time.optional(),
  event_name: z.string().optional(),
  expression: z.string().nullable().optional(),
  events: z
    .array(
      z.object({
        name: z.string(),
        event_name: z.string(),
        expression: z.string().nullable(),
        event_id: z.string().nullable(),
      }),
    )
    .optional(),
  signal: z.string().optional(),
  function_id: z.string().optional(),
  run_id: z.string().nullable().optional(),
  timeout: time.optional(),
  timed_out: z.boolean().optional().describe("Once the step has ended."),
  found_event_id: z.string().optional(),
});

const metadataSchema = z.object({
  scope: z.enum(metadataScopes),
  kind: z.string(),
  values: z.record(z.string(), z.json()),
  updated_at: time,
});

/** A span with all below it. */
export const spanSchema = z
  .object({
    span_id: z.string(),
    trace_id: z.string(),
    name: z.string(),
    status: z.enum(Object.values(spanStatusWords)),
    step_op: z.enum([...new Set(Object.values(stepOpWords))]).nullable(),
    step_id: z.string().nullable(),
    attempts: z.int(),
    queued_at: time,
    started_at: time.nullable(),
    ended_at: time.nullable(),
    duration_ms: z.int().nullable(),
    is_root: z.boolean(),
    is_userland: z.boolean().describe("Made by user code."),
    userland: userSpanV1Schema.nullable(),
    output_id: z.string().nullable(),
    parent_span_id: z.string().nullable(),
    step_info: stepInfoSchema.nullable(),
    metadata: z.array(metadataSchema),
    get children() {
      return z.array(spanSchema);
    },
  })
  .meta({ id: "SpanV1" });

/** The events that started a run. */
export const triggerSchema = z.object({
  event_name: z.string(),
  ids: z.array(z.string()),
  timestamp: time,
  is_batch: z.boolean(),
  batch_id: z.string().nullable(),
  cron: z.string().nullable(),
  payloads: z.array(z.json()),
});

/** Input and output of a span. */
export const outputSchema = z.object({
  output_id: z.string(),
  input: z.json(),
  data: z.json(),
  error: z.json(),
});

/** A cancellation of many runs. */
export const cancellationSchema = z.object({
  id: z.string(),
  environment_id: z.string(),
  function_internal_id: z.string(),
  function_id: z.string(),
  started_after: time.nullable(),
  started_before: time.nullable(),
  if: z.string().nullable(),
  queued_at: time,
});

/** It is done. */
export const okSchema = z.object({ ok: z.literal(true) });

/** Whether a function is held. */
export const pausedSchema = z.object({ id: z.string(), paused: z.boolean() });
