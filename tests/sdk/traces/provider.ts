// The tracing of an app, as its author would set it up: a context manager and a provider.
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, type SpanProcessor } from "@opentelemetry/sdk-trace-base";

/** Makes it the provider of the process. */
export function provide(processor: SpanProcessor): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const resource = resourceFromAttributes({ "service.name": "shop" });
  trace.setGlobalTracerProvider(new BasicTracerProvider({ resource, spanProcessors: [processor] }));
}

/** Some processor of the author's own. */
export const ownProcessor: SpanProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};
