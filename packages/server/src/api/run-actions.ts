// What people do to one run, the same for every API: cancel it, start it again. It must not know how
// an API reads requests or writes replies.
import type { FromStep } from "@pawl/engine/commands";
import type { Reply } from "@pawl/engine/decision";
import { assertJson, sliceObject } from "@pawl/protocol/json-span";
import { fromJsonText, jsonNull, type JsonText } from "@pawl/protocol/json-text";
import type { ApiContext } from "./context.ts";

/** Cancels a run. */
export function cancelRun({ backend }: ApiContext, runId: string): Promise<Reply> {
  return backend.submit({ type: "run.cancelled", runId, reason: "cancelled through the API" });
}

/** Starts an ended run again; the value of the reply is `started`. */
export function rerunRun(
  { backend }: ApiContext,
  runId: string,
  fromStep: FromStep | null,
): Promise<Reply> {
  return backend.submit({ type: "run.rerun", runId, newRun: null, fromStep, gate: null });
}

/** The run that a reply has started; empty for other replies. */
export function startedRunId(reply: Reply): string {
  return reply.ok && reply.value.type === "started" ? reply.value.runId : "";
}

/** The step of a checked body; its input is taken as the text that arrived. Null: none is named. */
export function fromStepOf(
  body: string,
  names: { readonly step: string; readonly id: string },
): FromStep | null {
  const step = body.trim() === "" ? undefined : sliceObject(assertJson(body)).get(names.step);
  if (step === undefined || step === jsonNull) return null;
  const members = sliceObject(step);
  const stepId = fromJsonText(members.get(names.id) ?? jsonNull);
  const input = inputOf(members.get("input"));
  return { stepId: typeof stepId === "string" ? stepId : "", input };
}

/** A missing input and null both mean: as before. */
function inputOf(text: JsonText | undefined): JsonText | null {
  return text === undefined || text.trim() === jsonNull ? null : text;
}
