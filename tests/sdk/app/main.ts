// The process of one app: serves the functions of the scenarios with the SDK that it is told, and
// tells the test's process what it sees. It knows nothing of what the scenarios expect.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { cloudFunctions } from "../cloud/functions.ts";
import { flowFunctions } from "../flow/functions.ts";
import { flowScenarios } from "../flow/scenarios.ts";
import { redeployable } from "../flow/redeploy.ts";
import { refusedFunctions } from "../flow/refused.ts";
import { scenarios } from "../scenarios.ts";
import { partnerFunctions } from "./partner.ts";
import type { Kit } from "./kit.ts";
import type { AppSettings, FromApp, ToApp } from "./messages.ts";
import type { Listener, Sdk } from "./sdk.ts";

const settings = JSON.parse(process.env["SDK_APP"] ?? "null") as AppSettings; // proof: written by the test's process
const servePath = "/api/inngest";

function tell(message: FromApp): void {
  process.send?.(message);
}

async function loadSdk(note: Kit["note"]): Promise<Sdk> {
  switch (settings.flavour) {
    case "js4":
    case "js4-no-checkpoint":
      return (await import("./js4.ts")).createSdk(settings, note);
    case "js3":
      return (await import("./js3.ts")).createSdk(settings, note);
    case "pawl":
      return (await import("./pawl.ts")).createSdk(settings, note);
  }
}

function functionsOf(kit: Kit): readonly unknown[] {
  switch (settings.functions) {
    case "partner":
      return partnerFunctions(kit);
    case "cloud":
      return cloudFunctions(kit);
    case "flow":
      return [...flowFunctions(kit), ...flowScenarios.flatMap(({ define }) => define(kit))];
    case "before-redeploy":
      return redeployable(kit, 1);
    case "redeployed":
      return redeployable(kit, 3);
    case "refused":
      return refusedFunctions(kit);
    case "scenarios":
      return scenarios
        .filter(({ only }) => only === undefined || only.includes(kit.flavour))
        .flatMap((scenario) => scenario.define(kit));
  }
}

/** Counts calls; everything else is the SDK's. */
function counted(listener: Listener): Listener {
  return (request, response) => {
    if (request.method === "POST") countCall(request, response);
    return listener(request, response);
  };
}

function countCall(request: IncomingMessage, response: ServerResponse): void {
  const { searchParams } = new URL(request.url ?? "/", "http://app");
  const functionId = searchParams.get("fnId");
  if (functionId === null) return;
  const target = searchParams.get("stepId") ?? "";
  response.once("close", () => {
    const bytes = Number(request.headers["content-length"]);
    tell({ type: "call", functionId, target, status: response.statusCode, bytes });
  });
}

/** Each function as the only one of an app, at `<path>/<index>`: one refusal does not hide another. */
function servedApart(served: Sdk, functions: readonly unknown[]): Listener {
  const listeners = functions.map((fn) => served.serve([fn]));
  return (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://app");
    return listeners[Number(pathname.split("/").at(-1))]?.(request, response);
  };
}

const sdk = await loadSdk((key, value) => tell({ type: "note", key, value }));
const functions = functionsOf(sdk.kit);
const server = createServer(
  counted(settings.functions === "refused" ? servedApart(sdk, functions) : sdk.serve(functions)),
);
process.on("message", (message) => {
  const order = message as ToApp; // proof: sent by the test's process
  if (order.type === "flush") tell({ type: "flushed", turn: order.turn });
  else void sendByClient(order.name, order.key);
});
process.on("disconnect", () => process.exit(0));
server.listen(settings.port, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  tell({ type: "ready", url: `http://127.0.0.1:${String(address.port)}${servePath}` });
});

async function sendByClient(name: string, key: string): Promise<void> {
  try {
    tell({ type: "note", key, value: await sdk.send({ name, data: {} }) });
  } catch (error) {
    tell({ type: "note", key, value: { error: String(error) } });
  }
}
