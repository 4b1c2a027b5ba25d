// Signatures and signing keys (protocol.md 3). A key is hex behind an optional prefix
// `signkey-<env>-`; the text of the hex, not its bytes, keys the HMAC. Time is an argument. Must
// run on any JavaScript runtime; a server may hand in its platform's HMAC.
import { canonicalize } from "./jcs.ts";
import { ProtocolError } from "./protocol-error.ts";
import { hmacSha256Hex, sha256Hex } from "./sha256.ts";

/** How far a signature's time may lie from ours, in both directions. */
export const signatureWindowMs = 5 * 60_000;

/** HMAC-SHA-256 as lower-case hex over UTF-8; `hmacSha256Hex` unless a faster one is given. */
export type Hmac = (key: string, text: string) => string;

export interface SignInput {
  /** A signing key, with or without its prefix. */
  readonly key: string;
  readonly body: string;
  /** Ms since the epoch. */
  readonly at: number;
  readonly hmac?: Hmac;
}

const prefixPattern = /^signkey-\w+-/;
const hexPattern = /^(?:[0-9a-f]{2})+$/i;

/** The hex behind the prefix of a key. Throws `signing_key_invalid` when it is not hex. */
export function normalizeSigningKey(key: string): string {
  const hex = key.trim().replace(prefixPattern, "");
  if (hexPattern.test(hex)) return hex;
  // The message must not show the key.
  const fault = /^[0-9a-f]+$/i.test(hex)
    ? "an odd number of digits"
    : "characters that are no hex digits";
  throw new ProtocolError(
    "signing_key_invalid",
    hex === ""
      ? "The signing key is empty: expected an even number of hex digits, optionally behind signkey-<env>-."
      : `The signing key has ${fault}: expected an even number of hex digits, optionally behind signkey-<env>-.`,
  );
}

/**
 * The hash of a key as it travels in `Authorization: Bearer`: the prefix of the key, and the SHA-256
 * of its bytes as hex. Throws `signing_key_invalid`.
 */
export function hashSigningKey(key: string): string {
  const prefix = prefixPattern.exec(key.trim())?.[0] ?? "";
  return prefix + hashHex(normalizeSigningKey(key));
}

function hashHex(hex: string): string {
  const pairs = hex.match(/../g) ?? [];
  return sha256Hex(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)));
}

/**
 * The signature header of a request: over the canonical form of its body, or over nothing when the
 * body is empty. A body without a canonical form is signed as it is. Throws `signing_key_invalid`.
 */
export function signRequest(input: SignInput): string {
  return sign(input, canonicalBody(input.body));
}

/** The signature header of an app's response: over the body as it is. Throws `signing_key_invalid`. */
export function signResponse(input: SignInput): string {
  return sign(input, input.body);
}

function sign({ key, at, hmac = hmacSha256Hex }: SignInput, signed: string): string {
  const seconds = Math.floor(at / 1000);
  return `t=${seconds}&s=${hmac(normalizeSigningKey(key), signed + seconds)}`;
}

function canonicalBody(body: string): string {
  if (body === "") return "";
  try {
    return canonicalize(body);
  } catch {
    return body;
  }
}

export interface VerifyInput {
  /** The signing key and, while keys rotate, the fallback; at least one. */
  readonly keys: readonly string[];
  /** The signature header; null when it was missing. */
  readonly header: string | null;
  readonly body: string;
  /** Ms since the epoch. */
  readonly now: number;
  /** True for requests (canonical form), false for an app's responses (as they are). */
  readonly canonical: boolean;
  readonly hmac?: Hmac;
}

/**
 * Returns the one of the keys with which the body was signed within the window. Otherwise throws
 * `signature_invalid` or `signature_expired`; `signing_key_invalid` when a key of ours is unusable.
 */
export function verifySignature(input: VerifyInput): string {
  const { seconds, mac } = parseSignature(input.header);
  if (Math.abs(input.now - seconds * 1000) > signatureWindowMs) {
    throw new ProtocolError(
      "signature_expired",
      "The signature is outside the window of five minutes.",
    );
  }
  const hmac = input.hmac ?? hmacSha256Hex;
  const keys = input.keys.map((key) => ({ key, hex: normalizeSigningKey(key) }));
  for (const { key, hex } of keys) {
    for (const signed of signedTexts(input)) {
      if (equalInConstantTime(hmac(hex, signed + seconds), mac)) return key;
    }
  }
  throw new ProtocolError(
    "signature_invalid",
    "The signature does not match: check that both sides have the same signing key.",
  );
}

/** What may have been signed: Go signs its responses without the newline that its encoder adds. */
function signedTexts({ body, canonical }: VerifyInput): string[] {
  if (canonical) return [canonicalBody(body)];
  return body.endsWith("\n") ? [body, body.slice(0, -1)] : [body];
}

function parseSignature(header: string | null): { seconds: number; mac: string } {
  if (header === null || header === "") {
    throw new ProtocolError("signature_invalid", "The signature is missing.");
  }
  const fields = new Map(header.split("&").map((field) => splitOnce(field)));
  const time = fields.get("t") ?? "";
  const mac = (fields.get("s") ?? "").toLowerCase();
  if (!/^\d{1,12}$/.test(time) || !/^[0-9a-f]{64}$/.test(mac)) {
    throw new ProtocolError(
      "signature_invalid",
      "The signature is malformed: expected t=<seconds>&s=<hex>.",
    );
  }
  return { seconds: Number(time), mac };
}

function splitOnce(field: string): readonly [string, string] {
  const at = field.indexOf("=");
  return at === -1 ? [field.trim(), ""] : [field.slice(0, at).trim(), field.slice(at + 1).trim()];
}

/**
 * Whether an `Authorization` header carries one of the keys, hashed or raw. Prefixes are not
 * compared: a server has one environment. Throws `signing_key_invalid` when a key is unusable.
 */
export function bearerMatches(input: {
  /** The header; null when it was missing. */
  readonly authorization: string | null;
  readonly keys: readonly string[];
}): boolean {
  const token = /^bearer\s+(\S+)$/i.exec(input.authorization?.trim() ?? "")?.[1];
  if (token === undefined) return false;
  const hex = token.replace(prefixPattern, "").toLowerCase();
  if (!hexPattern.test(hex)) return false;
  const hashOfToken = hashHex(hex);
  let matches = false;
  for (const key of input.keys) {
    const hash = hashHex(normalizeSigningKey(key));
    // No early end: the time must not tell which key, or how much of it, was right.
    const hashed = equalInConstantTime(hash, hex);
    const raw = equalInConstantTime(hash, hashOfToken);
    matches = matches || hashed || raw;
  }
  return matches;
}

function equalInConstantTime(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at += 1) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
