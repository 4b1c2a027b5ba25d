// The journey as an app of the npm package `inngest` 4, checkpointing as it is by default. A process
// of its own, so that it can be killed.
import { createServer } from "node:http";
import { Inngest } from "inngest";
import { serve } from "inngest/node";
import { EffectLog } from "./effects.ts";
import { child as childOf, journey, Trace } from "./journey.ts";

interface KeyData {
  readonly key: string;
}

const log = new EffectLog(process.env["EFFECTS"] ?? "");
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const client = new Inngest({ id: "crash-inngest", logger: quiet });

/** The journey's events carry their key; see load.ts. */
function keyOf(event: { readonly data: unknown }): string {
  return (event.data as KeyData).key; // proof: load.ts and the invoke below send it
}

const child = client.createFunction(
  { id: "child", retries: 20, triggers: [{ event: "crash/never" }] },
  async ({ event, step, runId, attempt }) => {
    const trace = new Trace(log, "child", { runId, key: keyOf(event), attempt });
    return childOf({ run: (id, code) => step.run(id, code) }, trace);
  },
);

const main = client.createFunction(
  { id: "main", retries: 20, triggers: [{ event: "crash/inngest" }] },
  async ({ event, step, runId, attempt }) => {
    const key = keyOf(event);
    const call = { runId, key, attempt };
    const trace = new Trace(log, "main", call);
    const kit = {
      run: (id: string, code: () => Promise<string>) => step.run(id, code),
      // Durations of this SDK have a resolution of one second.
      sleep: (id: string) => step.sleep(id, "1s"),
      invokeChild: async (id: string) => step.invoke(id, { function: child, data: { key } }),
      // Its waits do not look back, so the function sends the event itself, beside the wait.
      waitForGo: async (id: string) => {
        const wanted = { event: "crash/went", match: "data.key", timeout: "10m" };
        const sent = { name: "crash/went", data: { key } };
        const [went] = await Promise.all([
          step.waitForEvent(id, wanted),
          step.sendEvent("tell", sent),
        ]);
        return went === null ? null : keyOf(went);
      },
    };
    return journey(kit, trace, call);
  },
);

const server = createServer(serve({ client, functions: [main, child] }));
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("ready"));
