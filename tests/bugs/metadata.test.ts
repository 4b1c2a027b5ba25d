// What was noted about runs outlives a kill, and is added to afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashStepId } from "@pawl/protocol/step-id";
import { PawlServer } from "../support/pawl-server.ts";
import { memoOf, opcodes, returned, WireApp } from "./wire-app.ts";

const charge = {
  id: hashStepId("charge", 0),
  op: "StepRun",
  displayName: "charge",
  data: 1,
  metadata: [{ kind: "userland.cents", scope: "step", op: "add", values: { cents: 5 } }],
};

test("metadata survives a kill, and a run that has ended takes more", async (t) => {
  const app = await WireApp.start("notes", [{ id: "f", event: "bugs/note" }], (call) =>
    memoOf(call, "charge") === undefined ? opcodes(charge) : returned("done"),
  );
  t.after(() => app.close());
  let server = await PawlServer.start();
  t.after(() => server.stop("SIGKILL"));
  await app.register(server.url);
  const { run_id: runId } = await server.api.runOf({ name: "bugs/note" });
  const note = async (cents: number): Promise<number> => {
    const body = {
      target: { step_id: "charge" },
      metadata: [{ kind: "userland.cents", op: "add", values: { cents } }],
    };
    return (await server.api.request("POST", `/v1/runs/${runId}/metadata`, body)).status;
  };
  const shown = async (): Promise<string> => {
    const { body } = await server.api.request("GET", `/v1/runs/${runId}/trace`);
    return JSON.stringify(body);
  };
  assert.match(await shown(), /"values":\{"cents":5\}/);
  assert.equal(await note(10), 200);
  await server.stop("SIGKILL");
  server = await server.restart();
  assert.match(await shown(), /"values":\{"cents":15\}/);
  assert.equal(await note(0.5), 200);
  assert.match(await shown(), /"values":\{"cents":15.5\}/);
});
