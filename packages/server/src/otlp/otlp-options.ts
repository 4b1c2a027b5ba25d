// Where run traces go, if anywhere: from the options of Pawl, else from the variables that
// OpenTelemetry has defined for every exporter. It must not know how they are sent.
import { ServerError } from "../server-error.ts";

export interface OtlpOptions {
  /** Where spans are posted, `/v1/traces` included. */
  readonly url: string;
  /** Sent with each request; often secret, never logged. */
  readonly headers: Readonly<Record<string, string>>;
  /** `service.name` of the resource. */
  readonly serviceName: string;
  /** Ended runs that wait to be sent; further ones are dropped and counted. */
  readonly queueMax: number;
}

interface Given {
  /** Null: look into the environment. */
  readonly endpoint: string | null;
  /** `NAME=VALUE`, the value percent-encoded as in `OTEL_EXPORTER_OTLP_HEADERS`. */
  readonly headers: readonly string[];
  readonly serviceName: string | null;
  readonly queueMax: number;
}

const tracesPath = "/v1/traces";

/**
 * Null: nothing is exported. `OTEL_EXPORTER_OTLP_HEADERS` and the other variables of exporters
 * (time-out, compression, certificates) are read by the library itself. Throws `option_invalid`.
 */
export function otlpOptions(
  given: Given,
  environment: Readonly<Record<string, string | undefined>>,
): OtlpOptions | null {
  const url = urlOf(given.endpoint, environment);
  if (url === null) return null;
  return {
    url,
    headers: Object.fromEntries(given.headers.map(headerOf)),
    serviceName: given.serviceName ?? set(environment["OTEL_SERVICE_NAME"]) ?? "pawl",
    queueMax: given.queueMax,
  };
}

function urlOf(
  endpoint: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  if (endpoint !== null) return withPath(endpoint, "--otlp-endpoint");
  if (environment["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return null;
  const traces = set(environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]);
  if (traces !== null) return checked(traces, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").href;
  const base = set(environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
  return base === null ? null : withPath(base, "OTEL_EXPORTER_OTLP_ENDPOINT");
}

/** An endpoint is a base address, as OTLP/HTTP has it. */
function withPath(endpoint: string, origin: string): string {
  const url = checked(endpoint, origin);
  if (!url.pathname.endsWith(tracesPath))
    url.pathname = url.pathname.replace(/\/$/, "") + tracesPath;
  return url.href;
}

function checked(address: string, origin: string): URL {
  const url = URL.parse(address);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new ServerError(
    "option_invalid",
    `${origin} must be an http or https URL of an OTLP collector, not ${JSON.stringify(address)}.`,
  );
}

function headerOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  try {
    return [text.slice(0, at).trim(), decodeURIComponent(text.slice(at + 1).trim())];
  } catch {
    throw new ServerError(
      "option_invalid",
      `--otlp-header ${text.slice(0, at)} has a value that is not percent-encoded: write % as %25.`,
    );
  }
}

function set(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}
