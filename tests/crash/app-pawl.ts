// The journey as an app of the `pawl` SDK. A process of its own, so that it can be killed.
import { createServer } from "node:http";
import { Pawl } from "pawl";
import { serve } from "pawl/node";
import { EffectLog } from "./effects.ts";
import { child as childOf, journey, Trace } from "./journey.ts";

interface KeyData {
  readonly key: string;
}

const log = new EffectLog(process.env["EFFECTS"] ?? "");
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const client = new Pawl({ id: "crash-pawl", logger: quiet });

/** The journey's events carry their key; see load.ts. */
function keyOf(event: { readonly data: unknown }): string {
  return (event.data as KeyData).key; // proof: load.ts and the invoke below send it
}

const child = client.createFunction(
  { id: "child", retries: 20 },
  { event: "crash/never" },
  async ({ event, step, runId, attempt }) => {
    const trace = new Trace(log, "child", { runId, key: keyOf(event), attempt });
    return childOf({ run: (id, code) => step.run(id, code) }, trace);
  },
);

const main = client.createFunction(
  { id: "main", retries: 20 },
  { event: "crash/pawl" },
  async ({ event, step, runId, attempt }) => {
    const key = keyOf(event);
    const call = { runId, key, attempt };
    const trace = new Trace(log, "main", call);
    const kit = {
      run: (id: string, code: () => Promise<string>) => step.run(id, code),
      sleep: (id: string) => step.sleep(id, 300),
      invokeChild: async (id: string) => step.invoke(id, { function: child, data: { key } }),
      waitForGo: async (id: string) => {
        const timeout = "10m";
        const go = await step.waitForEvent(id, { event: "crash/go", match: "data.key", timeout });
        return go === null ? null : keyOf(go);
      },
    };
    return journey(kit, trace, call);
  },
);

const server = createServer(serve({ client, functions: [main, child] }));
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("ready"));
