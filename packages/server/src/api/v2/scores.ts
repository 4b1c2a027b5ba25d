// `POST /runs/{runId}/scores` of the REST API v2 (protocol.md 8.3): how good a run or a step was, as
// metadata of kind `inngest.score`. Scores mostly come after the run has ended.
import { z } from "zod";
import { wholeRun } from "@pawl/engine/metadata-records";
import type { MetadataTarget, TargetedUpdate } from "@pawl/engine/metadata-records";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Route } from "../../http/router.ts";
import { refusalProblem, type ApiContext } from "../context.ts";
import { answer, noQuery, refuse, v2Endpoint } from "./wire.ts";

const scoresMax = 100;
const nameBytesMax = 128;
const idCharsMax = 512;

const label = z.string().max(idCharsMax).regex(/\S/, "must not be blank");

/** The published SDKs refuse the same names. */
const scoreName = z
  .string()
  .regex(/\S/, "must not be blank")
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  .regex(/^[^\u0000-\u001f\u007f']*$/, "must have no control characters and no single quotes")
  .refine((name) => Buffer.byteLength(name) <= nameBytesMax, {
    message: `must be at most ${nameBytesMax} bytes long`,
  });

const score = z.strictObject({
  name: scoreName,
  value: z.union([z.number(), z.boolean()], { error: "must be a number, true or false" }),
  stepId: label.optional().describe("The id as its author wrote it, or the hashed one."),
  experiment: z.strictObject({ experimentName: label, variant: label }).optional(),
});

const body = z.strictObject({ scores: z.array(score).min(1).max(scoresMax) });

/** The route that takes scores. */
export function v2ScoreRoutes(context: ApiContext): readonly Route[] {
  return v2Endpoint({
    method: "POST",
    tag: "v2 runs",
    pattern: "/runs/:runId/scores",
    access: "runs:write",
    summary: "Say how good a run or a step was, whether or not it has ended",
    query: noQuery,
    body,
    data: z.array(score),
    handle: async ({ params: { runId = "" }, body: { scores } }) => {
      const updates = scores.flatMap(updatesOf);
      const reply = await context.backend.submit({ type: "metadata.received", runId, updates });
      if (!reply.ok) return refuse(refusalProblem(reply));
      return answer(context.now(), toJsonText(scores));
    },
  });
}

function updatesOf({ name, value, stepId, experiment }: z.output<typeof score>): TargetedUpdate[] {
  const target: MetadataTarget = {
    stepId: stepId ?? wholeRun.stepId,
    stepIndex: 0,
    attempt: null,
    spanId: null,
  };
  const scored = merged("inngest.score", { [name]: { value } }, target);
  if (experiment === undefined) return [scored];
  const { experimentName, variant } = experiment;
  return [merged("inngest.experiment", { name: experimentName, variant }, target), scored];
}

function merged(kind: string, values: object, target: MetadataTarget): TargetedUpdate {
  return { kind, op: "merge", values: toJsonText(values), target };
}
