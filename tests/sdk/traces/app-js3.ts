// An app on npm `inngest` 3 that sends its spans.
import { createServer } from "node:http";
import { Inngest } from "inngest3";
import { InngestSpanProcessor } from "inngest3/experimental";
import { serve } from "inngest3/node";
import { provide } from "./provider.ts";
import { settings, listening } from "./settings.ts";
import { work } from "./work.ts";

const { serverUrl, signingKey, checkpointing } = settings;
const client = new Inngest({
  id: "app",
  baseUrl: serverUrl,
  isDev: signingKey === null,
  checkpointing,
  ...(signingKey === null ? null : { eventKey: "test" }),
});
// It cannot join a provider of OpenTelemetry 2: its processor is given to it.
provide(new InngestSpanProcessor(client));
const fn = client.createFunction(
  { id: "work", retries: 2 },
  { event: "work" },
  async ({ step }) => work({ run: (id, code) => step.run(id, code) as ReturnType<typeof code> }), // proof: JSON values only
);
listening(
  createServer(
    serve({ client, functions: [fn], ...(signingKey === null ? null : { signingKey }) }),
  ),
);
