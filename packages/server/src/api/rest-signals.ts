// `POST /v1/signals`: a signal for the run that waits for it (protocol.md 8.2). What it carries stays
// the text that arrived.
import { z } from "zod";
import { assertJson, sliceObject } from "@pawl/protocol/json-span";
import { jsonNull } from "@pawl/protocol/json-text";
import type { HttpResponse } from "../http/response.ts";
import { refusalResponse, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope } from "./envelope.ts";

const idCharsMax = 512;

const body = z.object({
  signal: z.string().min(1).describe("Its name: the run that waits for it gets it."),
  data: z.json().optional(),
  types: z
    .record(z.string(), z.string())
    .optional()
    .describe("Notes of the `pawl` SDK about values of `data` that JSON does not know."),
  id: z
    .string()
    .min(1)
    .max(idCharsMax)
    .optional()
    .describe("Sent again under the same id within 24 h, it resumes nothing again."),
});

/** The route that sends signals. */
export function restSignalRoutes(context: ApiContext): readonly DocumentedRoute[] {
  return [
    endpoint({
      method: "POST",
      pattern: "/v1/signals",
      access: "runs:write",
      tag: "v1 signals",
      summary: "Send a signal to the run that waits for it",
      body,
      bodyBytesMax: context.limits.bodyBytesMax,
      data: z.object({ run_id: z.string() }),
      handle: ({ request, body: { signal, id } }) =>
        send(context, request.body, signal, id ?? null),
    }),
  ];
}

async function send(
  { backend, now }: ApiContext,
  text: string,
  signal: string,
  id: string | null,
): Promise<HttpResponse> {
  const members = sliceObject(assertJson(text));
  const data = members.get("data") ?? jsonNull;
  const types = members.get("types") ?? null;
  const reply = await backend.submit({ type: "signal.sent", signal, data, types, id });
  if (!reply.ok) return refusalResponse(reply);
  const runId = reply.value.type === "signalled" ? reply.value.runId : "";
  return envelope(now(), `{"run_id":"${runId}"}`);
}
