// What the function of both apps does: spans outside of steps, in a step, nested, and in a step that fails
// once. It must not import any SDK.
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

const tracer = trace.getTracer("shop", "1.2.3");
let tries = 0;

interface Steps {
  run<T>(id: string, code: () => Promise<T>): Promise<T>;
}

/** A span around `code`, as the author of an app writes it. */
function span<T>(name: string, code: () => Promise<T>, kind = SpanKind.INTERNAL): Promise<T> {
  return tracer.startActiveSpan(name, { kind, attributes: { order: 7 } }, async (active) => {
    try {
      return await code();
    } catch (error) {
      active.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      active.addEvent("gave up", { tries });
      throw error;
    } finally {
      active.end();
    }
  });
}

const moment = async (): Promise<void> => {
  // Longer than the rounding of times.
  await new Promise((resolve) => setTimeout(resolve, 5));
};

export async function work(step: Steps): Promise<string> {
  await step.run("load", async () =>
    span("load order", async () => {
      await span("query", moment, SpanKind.CLIENT);
      return 1;
    }),
  );
  await step.run("flaky", async () =>
    span("try", async () => {
      await moment();
      tries += 1;
      if (tries === 1) throw new Error("not yet");
      return tries;
    }),
  );
  return "done";
}
