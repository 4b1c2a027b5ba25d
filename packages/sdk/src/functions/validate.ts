// Refuses wrong definitions of functions when they are made, so that they never reach a server.
import { durationMs, timeoutText, type Duration } from "../durations.ts";
import { PawlError, type PawlErrorCode } from "../errors.ts";
import type { FlowOptions, FunctionSettings, Trigger } from "./options.ts";

/** Most triggers of one function (protocol.md 1.3). */
export const triggersMax = 10;
/** Most retries of a function or a step. */
export const retriesMax = 20;
const idCharsMax = 128;
const cancelsMax = 5;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

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
    `Retries of ${where} are ${retries}; expected a whole number from 0 to ${retriesMax}.`,
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
  if ("cron" in trigger) {
    const fields = trigger.cron
      .trim()
      .replace(/^(CRON_)?TZ=\S+\s+/, "")
      .split(/\s+/);
    if (fields.length !== 5 && fields.length !== 6 && !fields[0]?.startsWith("@")) {
      const found = `"${trigger.cron}" has ${fields.length} fields, expected 5, or 6 with seconds`;
      throw new PawlError("trigger_invalid", `A cron trigger of ${where} is wrong: ${found}.`);
    }
    checkDuration(`The jitter of ${where}`, trigger.jitter);
  }
}

/** Throws the code of the first wrong setting. */
export function validateSettings(settings: FunctionSettings): void {
  const where = `function "${settings.id}"`;
  validateRetries(settings.retries, where);
  validateFlow(where, settings);
  const { checkpointing } = settings;
  if (typeof checkpointing === "object") {
    checkCount(`checkpointing.bufferedSteps of ${where}`, checkpointing.bufferedSteps, 1);
    checkDuration(`checkpointing.maxInterval of ${where}`, checkpointing.maxInterval);
    checkDuration(`checkpointing.maxRuntime of ${where}`, checkpointing.maxRuntime);
  }
}

function validateFlow(where: string, flow: FlowOptions): void {
  for (const limit of concurrencyLimits(flow)) checkCount(`concurrency of ${where}`, limit, 0);
  checkCount(`throttle.limit of ${where}`, flow.throttle?.limit, 1);
  checkDuration(`throttle.period of ${where}`, flow.throttle?.period);
  checkCount(`throttle.burst of ${where}`, flow.throttle?.burst, 0);
  checkCount(`rateLimit.limit of ${where}`, flow.rateLimit?.limit, 1);
  checkDuration(`rateLimit.period of ${where}`, flow.rateLimit?.period);
  checkDuration(`debounce.period of ${where}`, flow.debounce?.period);
  checkDuration(`debounce.timeout of ${where}`, flow.debounce?.timeout);
  checkCount(`batchEvents.maxSize of ${where}`, flow.batchEvents?.maxSize, 2);
  checkDuration(`batchEvents.timeout of ${where}`, flow.batchEvents?.timeout);
  checkDuration(`timeouts.start of ${where}`, flow.timeouts?.start);
  checkDuration(`timeouts.finish of ${where}`, flow.timeouts?.finish);
  validateCombination(where, flow);
  validateCancels(where, flow);
}

function concurrencyLimits({ concurrency }: FlowOptions): readonly number[] {
  if (concurrency === undefined) return [];
  if (typeof concurrency === "number") return [concurrency];
  if ("limit" in concurrency) return [concurrency.limit];
  return concurrency.map((each) => each.limit);
}

function validateCombination(where: string, flow: FlowOptions): void {
  if (flow.batchEvents === undefined) return;
  for (const other of ["debounce", "rateLimit", "priority"] as const) {
    if (flow[other] !== undefined) {
      throw new PawlError(
        "option_invalid",
        `batchEvents and ${other} of ${where} exclude each other.`,
      );
    }
  }
}

function validateCancels(where: string, flow: FlowOptions): void {
  const cancels = flow.cancelOn ?? [];
  if (cancels.length > cancelsMax) {
    throw new PawlError(
      "option_invalid",
      `cancelOn of ${where} has more than ${cancelsMax} entries.`,
    );
  }
  for (const cancel of cancels) {
    if (cancel.if !== undefined && cancel.match !== undefined) {
      throw new PawlError("option_invalid", `cancelOn of ${where} has both "if" and "match".`);
    }
    if (cancel.timeout !== undefined) timeoutText(cancel.timeout, `cancelOn.timeout of ${where}`);
  }
}

function checkDuration(what: string, value: Duration | undefined): void {
  if (value !== undefined) durationMs(value, what);
}

function checkCount(what: string, value: number | undefined, min: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min)) return;
  throw new PawlError(
    "option_invalid",
    `${what} is ${value}; expected a whole number from ${min}.`,
  );
}
