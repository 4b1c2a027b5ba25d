// The recorded app on the previous major version (3) of the JavaScript SDK. Started by record.ts.
import { createServer } from "node:http";
import { Inngest, NonRetriableError, RetryAfterError } from "inngest3";
import { serve } from "inngest3/node";
import { declareFunctions, sentEvents, type Sdk } from "./functions.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const client = new Inngest({ id: "shop", appVersion: "1.2.3", logger: quiet });

const sdk: Sdk = {
  // proof: `functions.ts` uses only options and step tools that this version documents; its
  // inferred types cannot be named from outside the SDK.
  define: (options, triggers, handler) =>
    client.createFunction(options, triggers as never, handler as never),
  errors: {
    nonRetriable: (message) => new NonRetriableError(message),
    retryAfter: (message, after) => new RetryAfterError(message, after),
  },
};

const handle = serve({
  client,
  functions: declareFunctions(sdk) as never, // proof: made by createFunction above
  streaming: process.env["RECORD_STREAMING"] === "1" ? "force" : false,
});
createServer((request, response) => {
  if (request.url !== "/send") return handle(request, response);
  client.send(sentEvents).then(
    (sent) => response.end(JSON.stringify(sent)),
    (error: unknown) => response.end(String(error)),
  );
}).listen(Number(process.env["PORT"]), "127.0.0.1");
