// Writes and posts spans, by OpenTelemetry's own exporter for OTLP over HTTP: encoding, time-outs, and
// repeats after 429 and 5xx with the back-off that OTLP asks for. Loaded only when it is needed: it
// takes longer to load than all of the server's start may.
import { ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { version } from "../api/version.ts";
import type { EndedRun } from "../query/queries.ts";
import { messageOf } from "../server-error.ts";
import type { OtlpOptions } from "./otlp-options.ts";
import { spansOf } from "./spans.ts";

export interface Sender {
  spansOf(ended: EndedRun): readonly ReadableSpan[];
  /** Null when the collector has them; else why it has not, after the last repeat. Never rejects. */
  send(spans: readonly ReadableSpan[]): Promise<string | null>;
  close(): Promise<void>;
}

/** Opens nothing yet. */
export function createSender({ url, headers, serviceName }: OtlpOptions): Sender {
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers } });
  const resource = resourceFromAttributes({
    "service.name": serviceName,
    "service.version": version,
    "telemetry.sdk.name": "pawl",
    "telemetry.sdk.language": "nodejs",
  });
  return {
    spansOf: (ended) => spansOf(ended, resource),
    send: (spans) =>
      new Promise((resolve) => {
        exporter.export([...spans], ({ code, error }) =>
          resolve(code === ExportResultCode.SUCCESS ? null : messageOf(error ?? "no reason given")),
        );
      }),
    close: () => exporter.shutdown(),
  };
}
