// How the simulated apps write opcodes.
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type { OpcodeMetadata } from "@pawl/protocol/metadata-wire";
import type { Opcode, StepRunOpcode } from "@pawl/protocol/opcode";
import { sha1Hex } from "@pawl/protocol/sha1";
import { expressions, stepHash, type OpenStep, type StepNode } from "./program.ts";

function face(node: StepNode, race: boolean) {
  return {
    id: stepHash(node.id),
    displayName: node.id,
    userId: node.id,
    userIndex: 0,
    race,
    stepType: null,
    opts: null,
    retries: node.kind === "run" || node.kind === "fetch" ? node.retries : null,
  };
}

/** The kind of metadata under which steps that ran are counted. */
export const tallyKind = "userland.tally";

const tally: OpcodeMetadata = {
  updates: [{ kind: tallyKind, scope: "run", op: "add", values: toJsonText({ ran: 1 }) }],
  problem: null,
};

export function ran(node: StepNode, race: boolean, memo: JsonText): StepRunOpcode {
  const metadata = node.kind === "run" ? { metadata: tally } : null;
  return { ...face(node, race), ...metadata, op: "StepRun", memo, startedAt: null, endedAt: null };
}

/** A step threw; `last`: the app knows that there is no attempt left. */
export function threw(node: StepNode, race: boolean, last: boolean): Opcode {
  const error = toJsonText({ name: "Error", message: `step ${node.id} threw` });
  return last
    ? { ...face(node, race), op: "StepFailed", error }
    : { ...face(node, race), op: "StepError", error, noRetry: false };
}

/** What an app reports of a step that it cannot or may not run in this call. */
export function opening({ node, race }: OpenStep): Opcode {
  const common = face(node, race);
  switch (node.kind) {
    case "run":
      return { ...common, op: "StepPlanned" };
    case "fetch":
      // What the site needs to know is in the request.
      return { ...common, op: "Gateway", kind: "fetch", request: toJsonText(node) };
    case "sleep":
      return { ...common, op: "Sleep", until: { forMs: node.forMs } };
    case "wait":
      return {
        ...common,
        op: "WaitForEvent",
        event: node.event,
        expression: expressions[node.match],
        timeout: { forMs: node.timeoutMs },
        lookback: node.lookback,
      };
    case "waitMany":
      return {
        ...common,
        op: "WaitForEvents",
        mode: node.mode,
        branches: node.branches.map(({ name, event, match }) => ({
          name,
          event,
          expression: expressions[match],
        })),
        timeout: { forMs: node.timeoutMs },
        lookback: node.lookback,
      };
    case "signal":
      return {
        ...common,
        op: "WaitForSignal",
        signal: node.signal,
        timeout: { forMs: node.timeoutMs },
        onConflict: node.onConflict,
      };
    case "invoke":
      return {
        ...common,
        op: "InvokeFunction",
        functionSlug: node.slug,
        data: toJsonText({ key: node.key }),
        user: null,
        version: null,
        meta: null,
        timeout: node.timeoutMs === null ? null : { forMs: node.timeoutMs },
        onCancel: node.onCancel ?? null,
      };
  }
}

/** An opcode that is about the call, not about a step of the program. */
export function bare(id: string) {
  return {
    id,
    displayName: id,
    userId: null,
    userIndex: 0,
    race: false,
    stepType: null,
    opts: null,
    retries: null,
  };
}

/** User code threw outside of any step, in a message that brings more than that. */
export function functionThrew(error: JsonText, noRetry: boolean): Opcode {
  const face = { ...bare("complete"), id: sha1Hex("complete") };
  return noRetry
    ? { ...face, op: "StepFailed", error }
    : { ...face, op: "StepError", error, noRetry: false };
}

export function notFound(target: string): Opcode {
  return { ...bare(target), op: "StepNotFound" };
}

/** The app stopped because another call has taken over. */
export function nothing(): Opcode {
  return { ...bare("none"), op: "None" };
}

export function returned(value: string): Opcode {
  return { ...bare("complete"), op: "RunComplete", memo: dataMemo(value) };
}

/** `{"data": …}` of JSON text. */
export function dataMemo(value: string): JsonText {
  return `{"data":${value}}` as JsonText; // proof: callers pass JSON text
}
