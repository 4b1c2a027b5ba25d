// Short ways to write opcodes in tests. Ids are plain words instead of hashes.
import { toJsonText } from "@pawl/protocol/json-text";
import { writeGatewayRequest } from "@pawl/protocol/gateway-wire";
import type {
  DeferAbortOpcode,
  DeferAddOpcode,
  GatewayOpcode,
  InvokeFunctionOpcode,
  Opcode,
  SleepOpcode,
  StepErrorOpcode,
  StepFailedOpcode,
  StepPlannedOpcode,
  StepRunOpcode,
  WaitBranch,
  WaitForEventOpcode,
  WaitForEventsOpcode,
  WaitForSignalOpcode,
} from "@pawl/protocol/opcode";

function face(id: string, more: { race?: boolean; retries?: number | null } = {}) {
  return {
    id,
    displayName: id,
    userId: id,
    userIndex: 0,
    race: more.race ?? false,
    stepType: null,
    opts: null,
    retries: more.retries ?? null,
  };
}

export function ran(id: string, value: unknown = id, more: { race?: boolean } = {}): StepRunOpcode {
  return {
    ...face(id, more),
    op: "StepRun",
    memo: toJsonText({ data: value }),
    startedAt: null,
    endedAt: null,
  };
}

export function planned(
  id: string,
  more: { race?: boolean; retries?: number } = {},
): StepPlannedOpcode {
  return { ...face(id, more), op: "StepPlanned" };
}

/** Defers the function `app-later`. */
export function defers(
  id: string,
  input: unknown = { id },
  more: Partial<DeferAddOpcode> = {},
): DeferAddOpcode {
  return {
    ...face(id),
    op: "DeferAdd",
    functionSlug: "app-later",
    input: toJsonText(input),
    meta: null,
    problem: null,
    ...more,
  };
}

/** Takes a deferral back. */
export function aborts(targetId: string): DeferAbortOpcode {
  return { ...face(`${targetId}:abort`), op: "DeferAbort", targetId };
}

/** `step.fetch`. */
export function fetches(
  id: string,
  more: { race?: boolean; retries?: number } = {},
): GatewayOpcode {
  const request = writeGatewayRequest({ url: "http://a", method: "GET", headers: {}, body: null });
  return { ...face(id, more), op: "Gateway", kind: "fetch", request };
}

export function erred(
  id: string,
  more: { noRetry?: boolean; retries?: number; message?: string } = {},
): StepErrorOpcode {
  return {
    ...face(id, more),
    op: "StepError",
    error: toJsonText({ name: "Error", message: more.message ?? `${id} failed` }),
    noRetry: more.noRetry ?? false,
  };
}

export function failed(id: string): StepFailedOpcode {
  return {
    ...face(id),
    op: "StepFailed",
    error: toJsonText({ name: "Error", message: `${id} failed` }),
  };
}

export function sleeps(id: string, forMs: number): SleepOpcode {
  return { ...face(id), op: "Sleep", until: { forMs } };
}

export function waits(
  id: string,
  event: string,
  more: Partial<WaitForEventOpcode> = {},
): WaitForEventOpcode {
  return {
    ...face(id),
    op: "WaitForEvent",
    event,
    expression: null,
    timeout: { forMs: 60_000 },
    lookback: null,
    ...more,
  };
}

/** Branches are named like their events, unless they are given whole. */
export function waitsForEvents(
  id: string,
  mode: "any" | "all",
  branches: readonly (string | WaitBranch)[],
  more: Partial<WaitForEventsOpcode> = {},
): WaitForEventsOpcode {
  return {
    ...face(id),
    op: "WaitForEvents",
    mode,
    branches: branches.map((branch) =>
      typeof branch === "string" ? { name: branch, event: branch, expression: null } : branch,
    ),
    timeout: { forMs: 60_000 },
    lookback: null,
    ...more,
  };
}

export function waitsForSignal(
  id: string,
  signal: string,
  more: Partial<WaitForSignalOpcode> = {},
): WaitForSignalOpcode {
  return {
    ...face(id),
    op: "WaitForSignal",
    signal,
    timeout: { forMs: 60_000 },
    onConflict: "fail",
    ...more,
  };
}

export function invokes(
  id: string,
  functionSlug: string,
  more: Partial<InvokeFunctionOpcode> = {},
): InvokeFunctionOpcode {
  return {
    ...face(id),
    op: "InvokeFunction",
    functionSlug,
    data: toJsonText({ n: 1 }),
    user: null,
    version: null,
    meta: null,
    timeout: null,
    onCancel: null,
    ...more,
  };
}

export function other(op: "DiscoveryRequest" | "StepNotFound" | "None", id: string): Opcode {
  return { ...face(id), op };
}

export function completes(value: unknown): Opcode {
  return { ...face("complete"), op: "RunComplete", memo: toJsonText({ data: value }) };
}
