// The recorded app on the current major version (4) of the JavaScript SDK. Started by record.ts.
import { createServer } from "node:http";
import { Inngest, NonRetriableError, RetryAfterError } from "inngest";
import { createDefer } from "inngest/experimental";
import { serve } from "inngest/node";
import { declareFunctions, sentEvents, type Sdk } from "./functions.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const client = new Inngest({ id: "shop", appVersion: "1.2.3", logger: quiet });

const sdk: Sdk = {
  // proof: `functions.ts` uses only options and step tools that this version documents; its
  // inferred types cannot be named from outside the SDK.
  define: (options, triggers, handler) =>
    client.createFunction({ ...options, triggers } as never, handler as never),
  errors: {
    nonRetriable: (message) => new NonRetriableError(message),
    retryAfter: (message, after) => new RetryAfterError(message, after),
  },
};

const deferred = createDefer(client, { id: "deferred" }, () => null);
const defers = client.createFunction(
  { id: "defers", triggers: [{ event: "shop/recorded" }] },
  async ({ defer, step }) => {
    defer("afterwards", { function: deferred, data: { n: 1 } });
    return step.run("a", () => "a");
  },
);

const handle = serve({
  client,
  // proof: made by createFunction above
  functions: [...declareFunctions(sdk), deferred, defers] as never,
  streaming: process.env["RECORD_STREAMING"] === "1",
});
createServer((request, response) => {
  if (request.url !== "/send") return handle(request, response);
  client.send(sentEvents).then(
    (sent) => response.end(JSON.stringify(sent)),
    (error: unknown) => response.end(String(error)),
  );
}).listen(Number(process.env["PORT"]), "127.0.0.1");
