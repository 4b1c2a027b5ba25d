// The function of the two callers as an app of the npm package `inngest` 4, in a process of its own.
import { createServer } from "node:http";
import { Inngest } from "inngest";
import { serve } from "inngest/node";
import { EffectLog } from "../crash/effects.ts";
import { fourSteps } from "./callers.ts";

const log = new EffectLog(process.env["EFFECTS"] ?? "");
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const client = new Inngest({ id: "callers", logger: quiet });
const callers = client.createFunction(
  { id: "callers", retries: 1, triggers: [{ event: "bugs/callers" }] },
  ({ step, runId }) => fourSteps((id, code) => step.run(id, code), log, runId),
);

const server = createServer(serve({ client, functions: [callers] }));
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("ready"));
