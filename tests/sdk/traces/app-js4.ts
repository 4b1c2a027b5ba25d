// An app on npm `inngest` 4 that sends its spans.
import { createServer } from "node:http";
import { Inngest, type Middleware } from "inngest";
import { extendedTracesMiddleware } from "inngest/experimental";
import { serve } from "inngest/node";
import { ownProcessor, provide } from "./provider.ts";
import { settings, listening } from "./settings.ts";
import { work } from "./work.ts";

// The SDK joins a provider that is there.
provide(ownProcessor);
const { serverUrl, signingKey, checkpointing } = settings;
const client = new Inngest({
  id: "app",
  baseUrl: serverUrl,
  isDev: signingKey === null,
  checkpointing,
  middleware: [
    // proof: the SDK says so; its types do not allow for `exactOptionalPropertyTypes`
    extendedTracesMiddleware({ behaviour: "extendProvider" }) as unknown as Middleware.Class,
  ],
  ...(signingKey === null ? null : { signingKey, eventKey: "test" }),
});
const fn = client.createFunction(
  { id: "work", retries: 2, triggers: [{ event: "work" }] },
  async ({ step }) => work({ run: (id, code) => step.run(id, code) as ReturnType<typeof code> }), // proof: JSON values only
);
listening(createServer(serve({ client, functions: [fn] })));
