// Which members the options of a function have. The type checker knows; plain JavaScript, and options that were
// read from elsewhere, are asked here: a limit under a wrong name would be none. Values are not looked at.
import { PawlError } from "../errors.ts";
import type {
  BatchOptions,
  CancelOptions,
  CheckpointOptions,
  ConcurrencyOptions,
  DebounceOptions,
  FunctionSettings,
  PriorityOptions,
  RateLimitOptions,
  SingletonOptions,
  ThrottleOptions,
  TimeoutOptions,
} from "./options.ts";

/** Each member of an options type, and whether it may be left out. */
type Shape<T> = { readonly [K in keyof T]-?: object extends Pick<T, K> ? "may" : "must" };
type AnyShape = Readonly<Record<string, "may" | "must">>;

const throttle: Shape<ThrottleOptions> = {
  limit: "must",
  period: "must",
  burst: "may",
  key: "may",
};
const rateLimit: Shape<RateLimitOptions> = { limit: "must", period: "must", key: "may" };
const debounce: Shape<DebounceOptions> = { period: "must", timeout: "may", key: "may" };
const batchEvents: Shape<BatchOptions> = {
  maxSize: "must",
  timeout: "must",
  key: "may",
  if: "may",
};
const priority: Shape<PriorityOptions> = { run: "must" };
const timeouts: Shape<TimeoutOptions> = { start: "may", finish: "may" };
const singleton: Shape<SingletonOptions> = { mode: "must", key: "may" };
const concurrency: Shape<ConcurrencyOptions> = { limit: "must", key: "may", scope: "may" };
const cancelOn: Shape<CancelOptions> = { event: "must", if: "may", match: "may", timeout: "may" };
const checkpointing: Shape<CheckpointOptions> = {
  bufferedSteps: "may",
  maxInterval: "may",
  maxRuntime: "may",
};

const objects = { throttle, rateLimit, debounce, batchEvents, priority, timeouts, singleton };

const settingsShape: Shape<FunctionSettings> = {
  id: "must",
  name: "may",
  description: "may",
  retries: "may",
  checkpointing: "may",
  concurrency: "may",
  throttle: "may",
  rateLimit: "may",
  debounce: "may",
  batchEvents: "may",
  priority: "may",
  idempotency: "may",
  cancelOn: "may",
  timeouts: "may",
  singleton: "may",
};

/** Throws `option_invalid` for an option that has members it does not know, or lacks one that it needs. */
export function validateShapes(where: string, settings: FunctionSettings): void {
  checkMembers(`The options of ${where}`, settings, settingsShape);
  for (const [name, shape] of Object.entries(objects)) {
    // proof: each name is one of an option
    const value: unknown = settings[name as keyof typeof objects];
    if (value !== undefined) checkMembers(`${name} of ${where}`, value, shape);
  }
  const limits: unknown = settings.concurrency;
  if (limits !== undefined && typeof limits !== "number") {
    for (const limit of Array.isArray(limits) ? limits : [limits])
      checkMembers(`concurrency of ${where}`, limit, concurrency);
  }
  const cancels: unknown = settings.cancelOn ?? [];
  if (!Array.isArray(cancels)) throw wrong(`cancelOn of ${where}`, cancels, "a list");
  for (const cancel of cancels) checkMembers(`cancelOn of ${where}`, cancel, cancelOn);
  const saving: unknown = settings.checkpointing ?? true;
  if (typeof saving !== "boolean") checkMembers(`checkpointing of ${where}`, saving, checkpointing);
}

function checkMembers(what: string, value: unknown, shape: AnyShape): void {
  const names = Object.keys(shape).join(", ");
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(what, value, `an object with ${names}`);
  // proof: an object, read member by member
  const given = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined && !Object.hasOwn(shape, name))
      throw new PawlError("option_invalid", `${what}: there is no "${name}"; expected ${names}.`);
  }
  for (const [name, need] of Object.entries(shape)) {
    if (need === "must" && given[name] === undefined)
      throw new PawlError("option_invalid", `${what}: "${name}" is missing; it has ${names}.`);
  }
}

/** The error for a value that is none of those expected. */
export function wrong(what: string, value: unknown, expected: string): PawlError {
  const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
  return new PawlError(
    "option_invalid",
    `${what} is ${shown ?? String(value)}; expected ${expected}.`,
  );
}
