// Writes a function's definition in the form in which apps register (protocol.md 1.3). Pure.
import type { JsonValue } from "@pawl/protocol/json-text";
import { durationText, timeoutText, type Duration } from "../durations.ts";
import type { FlowOptions, FunctionSettings, Trigger } from "./options.ts";

/** One entry of `functions` in a registration. */
export type FunctionConfig = { readonly [key: string]: JsonValue };

/** What a registration is written from. */
export interface RegistrationInput {
  readonly slug: string;
  readonly name: string;
  readonly settings: FunctionSettings;
  readonly triggers: readonly Trigger[];
  /** Where the app is served, without a query. */
  readonly url: string;
}

/** See the head of this file. The settings must be valid. */
export function registerFunction(input: RegistrationInput): FunctionConfig {
  const { slug, name, settings, triggers, url } = input;
  const stepUrl = new URL(url);
  stepUrl.searchParams.set("fnId", slug);
  stepUrl.searchParams.set("stepId", "step");
  const retries = settings.retries === undefined ? {} : { retries: { attempts: settings.retries } };
  const runtime = { type: "http", url: stepUrl.href };
  return {
    id: slug,
    name,
    ...defined("description", settings.description),
    triggers: triggers.map(writeTrigger),
    steps: { step: { id: "step", name: "step", runtime, ...retries } },
    ...writeFlow(settings),
  };
}

function writeTrigger(trigger: Trigger): FunctionConfig {
  if ("event" in trigger) return { event: trigger.event, ...defined("expression", trigger.if) };
  const { cron, jitter } = trigger;
  return { cron, ...(jitter === undefined ? {} : { jitter: durationText(jitter, "jitter") }) };
}

function writeFlow(flow: FlowOptions): FunctionConfig {
  const { throttle, rateLimit, debounce, batchEvents } = flow;
  return {
    ...defined("concurrency", plain(flow.concurrency)),
    ...(throttle && { throttle: withDurations(throttle, "period") }),
    ...(rateLimit && { rateLimit: withDurations(rateLimit, "period") }),
    ...(debounce && { debounce: withDurations(debounce, "period", "timeout") }),
    ...(batchEvents && { batchEvents: withDurations(batchEvents, "timeout") }),
    ...defined("priority", plain(flow.priority)),
    ...defined("idempotency", flow.idempotency),
    ...(flow.cancelOn && { cancel: flow.cancelOn.map(writeCancel) }),
    ...(flow.timeouts && { timeouts: withDurations(flow.timeouts, "start", "finish") }),
    ...defined("singleton", plain(flow.singleton)),
  };
}

function writeCancel(cancel: NonNullable<FlowOptions["cancelOn"]>[number]): FunctionConfig {
  const { event, match, timeout } = cancel;
  const expression = cancel.if ?? (match === undefined ? undefined : matchExpression(match));
  return {
    event,
    ...defined("if", expression),
    ...(timeout === undefined ? {} : { timeout: timeoutText(timeout, "cancelOn.timeout") }),
  };
}

/** The CEL expression for `match`: the path is equal in the run's event and in the other one. */
export function matchExpression(path: string): string {
  return `event.${path} == async.${path}`;
}

function defined(key: string, value: JsonValue | undefined): FunctionConfig {
  return value === undefined ? {} : { [key]: value };
}

/** Options without durations are registered as they are. */
function plain(value: FlowOptions[keyof FlowOptions]): JsonValue | undefined {
  return value as JsonValue | undefined; // proof: these options hold texts and numbers only
}

function withDurations<Key extends string>(
  options: object & { readonly [K in Key]?: unknown },
  ...keys: readonly Key[]
): FunctionConfig {
  const config: Record<string, JsonValue> = {};
  // proof: these options hold durations, texts and numbers only
  for (const [key, value] of Object.entries(options) as [string, Duration | undefined][]) {
    if (value === undefined) continue;
    const isDuration = (keys as readonly string[]).includes(key); // proof: widening only
    if (isDuration) config[key] = durationText(value, key);
    else if (typeof value !== "object") config[key] = value;
  }
  return config;
}
