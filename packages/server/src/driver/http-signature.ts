// Signatures of calls and of their answers (protocol.md 3), with the platform's HMAC. It must not
// know where keys come from.
import { createHmac } from "node:crypto";
import { headerSignature } from "@pawl/protocol/headers";
import { fromJsonText } from "@pawl/protocol/json-text";
import { assertJson, sliceObject } from "@pawl/protocol/json-span";
import { ProtocolError } from "@pawl/protocol/protocol-error";
import { signRequest, verifySignature } from "@pawl/protocol/signature";
import { headerOf, type ResponseHeaders } from "./http-exchange.ts";

export interface Signing {
  /** Signs requests. */
  readonly key: string;
  /** Believed in answers beside `key` while keys rotate; null: none. */
  readonly fallbackKey: string | null;
  /** Whether an answer without a signature is refused; one with a wrong signature always is. */
  readonly requireSignedAnswers: boolean;
}

function hmac(key: string, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

/** The signature header of a request. Throws a `ProtocolError` when the key is unusable. */
export function signCall(signing: Signing, body: string, at: number): string {
  return signRequest({ key: signing.key, body, at, hmac });
}

/** Why an answer must not be believed; null when it may. */
export function signatureProblem(
  signing: Signing,
  answer: { readonly status: number; readonly headers: ResponseHeaders; readonly body: string },
  now: number,
): string | null {
  const { header, body } = signedPart(answer);
  if (header === null && !signing.requireSignedAnswers) return null;
  const keys = signing.fallbackKey === null ? [signing.key] : [signing.key, signing.fallbackKey];
  try {
    verifySignature({ keys, header, body, now, canonical: false, hmac });
    return null;
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}

/** A streamed answer carries its signature and what was signed inside (protocol.md 2.3, 201). */
function signedPart(answer: { status: number; headers: ResponseHeaders; body: string }): {
  header: string | null;
  body: string;
} {
  const outer = { header: headerOf(answer.headers, headerSignature), body: answer.body };
  if (answer.status !== 201 || outer.header !== null) return outer;
  try {
    const parts = sliceObject(answer.body.trim());
    const headers = sliceObject(parts.get("headers") ?? "{}");
    const body = fromJsonText(assertJson(parts.get("body") ?? "null"));
    for (const [name, value] of headers) {
      if (name.toLowerCase() !== headerSignature) continue;
      const text = fromJsonText(value);
      return {
        header: typeof text === "string" ? text : null,
        body: typeof body === "string" ? body : (parts.get("body") ?? ""),
      };
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  return outer;
}
