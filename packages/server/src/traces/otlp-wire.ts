// The two encodings of OTLP traces: protobuf and JSON. What comes is brought into one form, the JSON
// mapping of the messages; what is answered goes out in the encoding of the request. It must not know
// what spans mean.
import { messageOf, ServerError } from "../server-error.ts";

export type OtlpEncoding = "protobuf" | "json";

/** The encoding that a `content-type` names; null: none that OTLP has. */
export function otlpEncoding(contentType: string | null): OtlpEncoding | null {
  const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase();
  if (type === "application/x-protobuf" || type === "application/protobuf") return "protobuf";
  return type === "application/json" ? "json" : null;
}

/**
 * An `ExportTraceServiceRequest` in JSON mapping; of a protobuf body bytes, and so ids, are base64,
 * while OTLP/JSON has ids in hex. Throws `body_invalid`.
 */
export async function decodeRequest(bytes: Uint8Array, encoding: OtlpEncoding): Promise<unknown> {
  try {
    if (encoding === "protobuf")
      return (await import("./otlp-protobuf.ts")).requestFromProtobuf(bytes);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return JSON.parse(text);
  } catch (error) {
    const what = encoding === "protobuf" ? "a protobuf" : "a JSON";
    throw new ServerError(
      "body_invalid",
      `The body is not ${what} ExportTraceServiceRequest, which its content-type says it is: ${messageOf(error)}`,
    );
  }
}

/** How many spans were not taken, and why; null: all were. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/** An `ExportTraceServiceResponse`. */
export async function encodeResponse(
  partial: PartialSuccess | null,
  encoding: OtlpEncoding,
): Promise<string | Uint8Array> {
  const response =
    partial === null
      ? {}
      : {
          partialSuccess: {
            rejectedSpans: String(partial.rejected),
            errorMessage: partial.message,
          },
        };
  if (encoding === "json") return JSON.stringify(response);
  return (await import("./otlp-protobuf.ts")).responseToProtobuf(response);
}
