// Refuses wrong definitions of functions when they are made, so that they never reach a server.
import { flowLimitProblem, type FlowLimits } from "@pawl/protocol/flow-limits";
import { durationMs, timeoutText, type Duration } from "../durations.ts";
import { PawlError, type PawlErrorCode } from "../errors.ts";
import { cronLineProblem } from "./cron-line.ts";
import { validateShapes, wrong } from "./shapes.ts";
import type { ConcurrencyOptions, FlowOptions, FunctionSettings, Trigger } from "./options.ts";

/** Most triggers of one function (protocol.md 1.3). */
export const triggersMax = 10;
/** Most retries of a function or a step. */
export const retriesMax = 20;
const idCharsMax = 128;
/** Longest name of an event (protocol.md 10). */
const eventNameCharsMax = 256;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Members by name or by index, as in `data.users[0]`. */
const pathPattern = /^[\w$]+(?:\.[\w$]+|\[(?:\d+|"[^"\\]*"|'[^'\\]*')\])*$/;

/** Throws the given code unless the id is one that URLs and registrations can carry. */
export function validateId(
  code: Extract<PawlErrorCode, "app_id_invalid" | "function_id_invalid">,
  what: string,
  id: unknown,
): void {
  if (typeof id === "string" && id.length <= idCharsMax && idPattern.test(id)) return;
  const rule = `letters, digits, ".", "_" and "-", at most ${idCharsMax}, starting with a letter or digit`;
  throw new PawlError(code, `The ${what} id ${JSON.stringify(id)} is invalid: use ${rule}.`);
}

/** Throws `retries_invalid` unless the number is whole and from 0 to 20. */
export function validateRetries(retries: number | undefined, where: string): void {
  if (retries === undefined) return;
  if (Number.isInteger(retries) && retries >= 0 && retries <= retriesMax) return;
  throw new PawlError(
    "retries_invalid",
    `Retries of ${where} are ${JSON.stringify(retries)}; expected a whole number from 0 to ${retriesMax}.`,
  );
}

/** Throws `trigger_*` unless the triggers can be registered. */
export function validateTriggers(functionId: string, triggers: readonly Trigger[]): void {
  const where = `function "${functionId}"`;
  if (triggers.length === 0) {
    throw new PawlError("trigger_missing", `There is no trigger for ${where}.`);
  }
  if (triggers.length > triggersMax) {
    const count = `${triggers.length} triggers, the most is ${triggersMax}`;
    throw new PawlError("triggers_too_many", `There are too many for ${where}: ${count}.`);
  }
  const seen = new Set<string>();
  for (const trigger of triggers) {
    validateTrigger(where, trigger);
    const key =
      "event" in trigger ? `event ${trigger.event} ${trigger.if ?? ""}` : `cron ${trigger.cron}`;
    if (seen.has(key)) {
      throw new PawlError(
        "trigger_duplicate",
        `The trigger "${key.trim()}" of ${where} is there twice.`,
      );
    }
    seen.add(key);
  }
}

function validateTrigger(where: string, trigger: Trigger): void {
  const name: unknown = "event" in trigger ? trigger.event : trigger.cron;
  if (typeof name !== "string" || name.trim() === "") {
    const expected = "expected { event } or { cron } with a text";
    throw new PawlError("trigger_invalid", `A trigger of ${where} is empty: ${expected}.`);
  }
  if (name.length > eventNameCharsMax) {
    const found = `${name.length} characters, the most is ${eventNameCharsMax}`;
    throw new PawlError("trigger_invalid", `A trigger of ${where} is too long: ${found}.`);
  }
  if ("event" in trigger) {
    expression(`A trigger's "if" of ${where}`, trigger.if);
    if ("cron" in trigger)
      throw new PawlError("trigger_invalid", `A trigger of ${where} has both event and cron.`);
    return;
  }
  const [, zone, line = ""] = /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/s.exec(trigger.cron.trim()) ?? [];
  const problem = cronLineProblem(line);
  if (problem !== null) {
    const found = `"${trigger.cron}" ${problem}`;
    throw new PawlError("trigger_invalid", `A cron trigger of ${where} is wrong: ${found}.`);
  }
  if (zone !== undefined && !isZone(zone)) {
    const expected = 'expected one such as "Europe/Paris"';
    throw new PawlError(
      "trigger_invalid",
      `A cron trigger of ${where} names the time zone "${zone}": ${expected}.`,
    );
  }
  duration(`The jitter of ${where}`, trigger.jitter);
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name }).format(0);
    return true;
  } catch {
    return false;
  }
}

/** Throws the code of the first wrong setting. */
export function validateSettings(settings: FunctionSettings): void {
  const where = `function "${settings.id}"`;
  validateRetries(settings.retries, where);
  validateShapes(where, settings);
  for (const name of ["name", "description"] as const) {
    const text: unknown = settings[name];
    if (text !== undefined && typeof text !== "string")
      throw wrong(`${name} of ${where}`, text, "a text");
  }
  const flow = flowLimits(where, settings);
  const problem = flowLimitProblem(flow);
  if (problem !== null) {
    throw new PawlError("option_invalid", `Function "${settings.id}": ${problem.message}`);
  }
  const { checkpointing } = settings;
  if (typeof checkpointing === "object") {
    count(`checkpointing.bufferedSteps of ${where}`, checkpointing.bufferedSteps, 1);
    duration(`checkpointing.maxInterval of ${where}`, checkpointing.maxInterval);
    duration(`checkpointing.maxRuntime of ${where}`, checkpointing.maxRuntime);
  }
}

const expressions = [
  "throttle.key",
  "rateLimit.key",
  "debounce.key",
  "batchEvents.key",
  "batchEvents.if",
  "singleton.key",
  "priority.run",
  "idempotency",
] as const;

/** Reads each option by itself, as the server will; throws for what is none. */
function flowLimits(where: string, flow: FlowOptions): FlowLimits {
  const { throttle, rateLimit, debounce, batchEvents, singleton, priority } = flow;
  const at = (path: string): string => `${path} of ${where}`;
  const ms = (path: string): number | null =>
    duration(at(path), valueAt(flow, path) as Duration | undefined); // proof: only asked for durations
  const whole = (path: string, min: number): number =>
    count(at(path), valueAt(flow, path), min) ?? 0;
  whole("throttle.limit", 1);
  whole("throttle.burst", 0);
  whole("rateLimit.limit", 1);
  for (const path of expressions) expression(at(path), valueAt(flow, path));
  if (singleton) oneOf(at("singleton.mode"), singleton.mode, ["skip", "cancel"]);
  const period = (option: string): { periodMs: number; timeoutMs: number | null } => ({
    periodMs: ms(`${option}.period`) ?? 0,
    timeoutMs: ms(`${option}.timeout`),
  });
  return {
    concurrency: concurrencyLimits(where, flow),
    throttle: throttle ? period("throttle") : null,
    rateLimit: rateLimit ? period("rateLimit") : null,
    debounce: debounce ? period("debounce") : null,
    batch: batchEvents
      ? {
          sizeMax: whole("batchEvents.maxSize", 0),
          timeoutMs: ms("batchEvents.timeout") ?? 0,
        }
      : null,
    priority: priority?.run ?? null,
    startTimeoutMs: ms("timeouts.start"),
    finishTimeoutMs: ms("timeouts.finish"),
    cancel: cancels(where, flow),
  };
}

/** The value of an option, or of a part of one. */
function valueAt(flow: FlowOptions, path: string): unknown {
  const walk = (value: unknown, key: string): unknown =>
    (value as Readonly<Record<string, unknown>> | undefined)?.[key]; // proof: options are read as objects
  return path.split(".").reduce(walk, flow as unknown); // proof: widening only
}

function concurrencyLimits(where: string, { concurrency }: FlowOptions): FlowLimits["concurrency"] {
  const list: readonly ConcurrencyOptions[] =
    concurrency === undefined
      ? []
      : typeof concurrency === "number"
        ? [{ limit: concurrency }]
        : "limit" in concurrency
          ? [concurrency]
          : concurrency;
  return list.map(({ limit, key, scope = "fn" }) => {
    expression(`concurrency.key of ${where}`, key);
    oneOf(`concurrency.scope of ${where}`, scope, ["fn", "env", "account"]);
    return { limit: count(`concurrency of ${where}`, limit, 0) ?? 0, key: key ?? null, scope };
  });
}

function cancels(where: string, { cancelOn = [] }: FlowOptions): FlowLimits["cancel"] {
  for (const { event, if: condition, match, timeout } of cancelOn) {
    expression(`cancelOn.event of ${where}`, event, "the name of an event");
    expression(`cancelOn.if of ${where}`, condition);
    const path = 'a path such as "data.userId"';
    expression(`cancelOn.match of ${where}`, match, path);
    if (match !== undefined && !pathPattern.test(match))
      throw wrong(`cancelOn.match of ${where}`, match, path);
    if (condition !== undefined && match !== undefined) {
      throw new PawlError("option_invalid", `cancelOn of ${where} has both "if" and "match".`);
    }
    if (timeout !== undefined) timeoutText(timeout, `cancelOn.timeout of ${where}`);
  }
  return cancelOn;
}

function duration(what: string, value: Duration | undefined): number | null {
  return value === undefined ? null : durationMs(value, what);
}

function count(what: string, value: unknown, min: number): number | undefined {
  if (value === undefined) return value;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min)
    throw wrong(what, value, `a whole number from ${min}`);
  return value;
}

/** Whether it compiles is for the server to say. */
function expression(
  what: string,
  value: unknown,
  expected = 'a CEL expression such as "event.data.userId"',
): void {
  if (value !== undefined && (typeof value !== "string" || value.trim() === ""))
    throw wrong(what, value, expected);
}

function oneOf(what: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw wrong(what, value, known.map((one) => `"${one}"`).join(" or "));
}
