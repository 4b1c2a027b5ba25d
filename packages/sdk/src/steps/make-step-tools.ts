// Implements the step tools on top of a replay: turns arguments into step requests. What becomes of
// a request is the replay's business.
import type { JsonValue } from "@pawl/protocol/json-text";
import {
  durationMs,
  durationText,
  momentText,
  timeoutText,
  type Duration,
  type Moment,
} from "../durations.ts";
import { PawlError } from "../errors.ts";
import { checkSignal, type OutgoingSignal } from "../client/signals.ts";
import type { EventSchemas, OutgoingEvent } from "../events/event-types.ts";
import type { InvokeTarget } from "../functions/invoke-target.ts";
import { matchExpression } from "../functions/registration.ts";
import { validateRetries } from "../functions/validate.ts";
import { stepScope } from "../replay/step-scope.ts";
import type { StepRequest } from "../replay/step.ts";
import { encodeValue } from "../values/encode.ts";
import { fetchRequest, inferRequest } from "./gateway-steps.ts";
import type { FetchStepInit, InferOptions } from "./gateway-types.ts";
import type {
  NamedEvents,
  OnCancel,
  RunStepOptions,
  StepId,
  StepTools,
  WaitForEventsOptions,
  WaitForSignalOptions,
  WaitOptions,
} from "./step-tools.ts";

/** What the tools need from the call they belong to. */
export interface StepHost {
  readonly appId: string;
  readonly runId: string;
  /** Must return the step's own promise: listeners to it are looked at. */
  perform(request: StepRequest): Promise<unknown>;
  send(events: readonly OutgoingEvent[]): Promise<unknown>;
  /** Sent again under the same `id` it resumes nothing again. */
  signal(signal: OutgoingSignal, id: string): Promise<unknown>;
}

/** Longest id of a step, in characters. */
export const stepIdCharsMax = 256;

/** The tools for one call. Their promises reject with `PawlError` when they are used wrongly. */
export function makeStepTools<Events extends EventSchemas>(host: StepHost): StepTools<Events> {
  /** Not an async function: it would put another promise around the step's own. */
  const perform = (tool: string, id: StepId, make: (name: StepName) => StepRequest) => {
    try {
      return host.perform(make(nameOf(tool, id)));
    } catch (error) {
      const refused = Promise.reject(error instanceof Error ? error : new Error(String(error)));
      // As for all steps: a rejection that no branch waits for must not end the process.
      refused.catch(() => undefined);
      return refused;
    }
  };
  const tools = {
    run: (id: string | RunStepOptions, code: StepCode, ...args: readonly unknown[]) =>
      perform("run", id, (name) => runRequest(name, id, code, args)),
    sleep: (id: StepId, duration: Duration) =>
      perform("sleep", id, (name) => {
        const until = durationText(duration, `The duration of step "${name.id}"`);
        return { kind: "sleep", ...name, until };
      }),
    sleepUntil: (id: StepId, moment: Moment) =>
      perform("sleepUntil", id, (name) => {
        const until = momentText(moment, `The moment of step "${name.id}"`);
        return { kind: "sleep", ...name, until };
      }),
    waitForEvent: (id: StepId, options: WaitOptions<string>) =>
      perform("waitForEvent", id, (name) => waitRequest(name, options)),
    waitForAny: (id: StepId, options: WaitForEventsOptions<NamedEvents<string>>) =>
      perform("waitForAny", id, (name) => waitManyRequest(name, "any", options)),
    waitForAll: (id: StepId, options: WaitForEventsOptions<NamedEvents<string>>) =>
      perform("waitForAll", id, (name) => waitManyRequest(name, "all", options)),
    waitForSignal: (id: StepId, options: WaitForSignalOptions) =>
      perform("waitForSignal", id, (name) => waitForSignalRequest(name, options)),
    sendSignal: (id: StepId, signal: OutgoingSignal) =>
      perform("sendSignal", id, (name) => sendSignalRequest(host, name, signal)),
    invoke: (id: StepId, options: InvokeArguments) =>
      perform("invoke", id, (name) => invokeRequest(host.appId, name, options)),
    fetch: (id: string | RunStepOptions, url: string | URL, init?: FetchStepInit) =>
      perform("fetch", id, (name) => fetchRequest(name, retriesOf(name, id), url, init)),
    ai: {
      infer: (id: string | RunStepOptions, options: InferOptions<unknown, unknown>) =>
        perform("ai.infer", id, (name) => inferRequest(name, retriesOf(name, id), options)),
      wrap: (id: string | RunStepOptions, code: StepCode, ...args: readonly unknown[]) =>
        perform("ai.wrap", id, (name) => runRequest(name, id, code, args, "step.ai.wrap")),
    },
    sendEvent: (id: StepId, events: OutgoingEvent | readonly OutgoingEvent[]) =>
      perform("sendEvent", id, (name) => sendRequest(host, name, events)),
  };
  // proof: same names and arguments; results are what the step was recorded with, by its kind
  return tools as unknown as StepTools<Events>;
}

interface StepName {
  readonly id: string;
  readonly name: string;
}

type StepCode = (...args: readonly unknown[]) => unknown;

interface InvokeArguments {
  readonly function: InvokeTarget;
  readonly data?: unknown;
  readonly user?: unknown;
  readonly timeout?: Duration | Date;
  readonly onCancel?: OnCancel;
}

function nameOf(tool: string, given: StepId): StepName {
  const id: unknown = typeof given === "string" ? given : given.id;
  if (typeof id !== "string" || id === "" || id.length > stepIdCharsMax) {
    const rule = `a text of 1 to ${stepIdCharsMax} characters`;
    throw new PawlError("step_id_invalid", `The id of step.${tool} must be ${rule}.`);
  }
  const outer = stepScope.current();
  if (outer !== null) {
    const advice = "Steps cannot contain steps: move it out of the outer step's code.";
    throw new PawlError("step_nested", `Step "${id}" starts inside of step "${outer}". ${advice}`);
  }
  return { id, name: (typeof given === "string" ? undefined : given.name) ?? id };
}

function retriesOf(name: StepName, given: string | RunStepOptions): number | undefined {
  const retries = typeof given === "string" ? undefined : given.retries;
  validateRetries(retries, `step "${name.id}"`);
  return retries;
}

function runRequest(
  name: StepName,
  given: string | RunStepOptions,
  code: StepCode,
  args: readonly unknown[],
  type: string | null = null,
): StepRequest {
  const retries = retriesOf(name, given);
  if (typeof code !== "function") {
    throw new PawlError("option_invalid", `Step "${name.id}" has no code to run.`);
  }
  return {
    kind: "run",
    ...name,
    type,
    retries: retries ?? null,
    args,
    execute: (input) => code(...input),
  };
}

function waitRequest(name: StepName, options: WaitOptions<string>): StepRequest {
  const where = `step "${name.id}"`;
  return {
    kind: "wait",
    ...name,
    event: options.event,
    expression: expressionOf(options, where),
    ...timesOf(options, where),
  };
}

function waitManyRequest(
  name: StepName,
  mode: "any" | "all",
  options: WaitForEventsOptions<NamedEvents<string>>,
): StepRequest {
  const where = `step "${name.id}"`;
  const branches = Object.entries(options.events).map(([key, branch]) => ({
    name: key,
    event: branch.event,
    expression: expressionOf(branch, `"${key}" of ${where}`),
  }));
  if (branches.length === 0) {
    throw new PawlError("option_invalid", `No events are given to ${where}: name at least one.`);
  }
  return { kind: "waitMany", ...name, mode, branches, ...timesOf(options, where) };
}

type Condition = Pick<WaitOptions<string>, "if" | "match">;

function expressionOf(options: Condition, where: string): string | null {
  if (options.if !== undefined && options.match !== undefined) {
    throw new PawlError("option_invalid", `Both "if" and "match" are given to ${where}.`);
  }
  return options.if ?? (options.match === undefined ? null : matchExpression(options.match));
}

function timesOf(options: Pick<WaitOptions<string>, "timeout" | "lookback">, where: string) {
  const lookback = options.lookback ?? "run";
  return {
    timeout: timeoutText(options.timeout, `The timeout of ${where}`),
    lookback:
      lookback === false
        ? null
        : lookback === "run"
          ? ("run" as const)
          : durationMs(lookback, `The lookback of ${where}`),
  };
}

function waitForSignalRequest(name: StepName, options: WaitForSignalOptions): StepRequest {
  const where = `step "${name.id}"`;
  checkSignal(options.signal, `The signal of ${where}`);
  return {
    kind: "signal",
    ...name,
    signal: options.signal,
    timeout: timeoutText(options.timeout, `The timeout of ${where}`),
    conflict: options.onConflict ?? "fail",
  };
}

/** The id follows from run and step: sent again after the app died, it resumes nothing again. */
function sendSignalRequest(host: StepHost, name: StepName, signal: OutgoingSignal): StepRequest {
  checkSignal(signal.signal, `The signal of step "${name.id}"`);
  return {
    kind: "run",
    ...name,
    type: "step.sendSignal",
    retries: null,
    args: [signal],
    // proof: `args` is the signal
    execute: ([input], hash) => host.signal(input as OutgoingSignal, `${host.runId}-${hash}`),
  };
}

function invokeRequest(appId: string, name: StepName, options: InvokeArguments): StepRequest {
  const target = options.function;
  const { data, types } = encodeValue(options.data ?? {});
  const payload: Record<string, JsonValue> = { data };
  if (options.user !== undefined) payload["user"] = encodeValue(options.user).data;
  if (types !== null) payload["meta"] = { types };
  const { timeout, onCancel = "cancel" } = options;
  if (onCancel !== "cancel" && onCancel !== "abandon") {
    const message = `The onCancel of step "${name.id}" must be "cancel" or "abandon".`;
    throw new PawlError("option_invalid", message);
  }
  return {
    kind: "invoke",
    ...name,
    functionSlug: `${target.appId ?? appId}-${target.id}`,
    payload,
    timeout:
      timeout === undefined ? null : timeoutText(timeout, `The timeout of step "${name.id}"`),
    onCancel,
  };
}

/**
 * Events without an id get one that follows from run and step: when the app dies between sending
 * and recording, the second sending starts nothing again.
 */
function sendRequest(
  host: StepHost,
  name: StepName,
  events: OutgoingEvent | readonly OutgoingEvent[],
): StepRequest {
  const list = Array.isArray(events) ? (events as readonly OutgoingEvent[]) : [events]; // proof: by isArray
  return {
    kind: "run",
    ...name,
    type: "step.sendEvent",
    retries: null,
    args: list,
    execute: (input, hash) => {
      const named = input.map((each, index) => {
        const event = each as OutgoingEvent; // proof: `args` are the events
        return event.id === undefined ? { ...event, id: `${host.runId}-${hash}-${index}` } : event;
      });
      return host.send(named);
    },
  };
}
