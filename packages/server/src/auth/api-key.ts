// API keys: how one is made, how it is kept, and how a configured one reads. The server keeps the
// SHA-256 of a key only. A key is 256 random bits, so a plain hash cannot be guessed back; slow
// hashes are for passwords. It must not know requests.
import { createHash } from "node:crypto";
import { isScope, scopes, type Scope } from "./scopes.ts";

/** A configured key. */
export interface ApiKey {
  /** For people and logs; one key has it. */
  readonly name: string;
  /** SHA-256 of the key, 64 hex digits. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** From this time on (ms) the key opens nothing; null: it does not end. */
  readonly expiresAt: number | null;
}

/** How every API key starts, so that keys are told from signing keys, and found by secret scanners. */
export const apiKeyPrefix = "pawl-key-";

/** Random bytes of a key. */
export const apiKeyBytes = 32;

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const fields: ReadonlySet<string> = new Set(["name", "hash", "scopes", "expiresAt"]);

/** The key of these random bytes. */
export function apiKeyFrom(random: Buffer): string {
  return apiKeyPrefix + random.toString("base64url");
}

/** What the server is configured with instead of the key. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

export function isKeyName(name: unknown): name is string {
  return typeof name === "string" && namePattern.test(name);
}

export const keyNameRule = "letters, digits, dot, dash and underscore, at most 64";

/** The keys of a list as it is configured, or what is wrong with it; hashes are not repeated. */
export function readApiKeys(
  given: unknown,
):
  | { readonly ok: true; readonly keys: readonly ApiKey[] }
  | { readonly ok: false; readonly expected: string } {
  if (!Array.isArray(given)) return refused("a list of {name, hash, scopes, expiresAt?}");
  const keys: ApiKey[] = [];
  for (const [index, item] of given.entries()) {
    const key = readApiKey(item);
    if (typeof key === "string")
      return refused(`a list of keys, and in key ${String(index + 1)} ${key}`);
    if (keys.some(({ name, hash }) => name === key.name || hash === key.hash)) {
      return refused(
        `a list of keys that differ; key ${String(index + 1)} repeats the name or the hash of another`,
      );
    }
    keys.push(key);
  }
  return { ok: true, keys };
}

function refused(expected: string): { readonly ok: false; readonly expected: string } {
  return { ok: false, expected };
}

/** The key, or what its entry must be. */
function readApiKey(item: unknown): ApiKey | string {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return "an object";
  const given = new Map<string, unknown>(Object.entries(item));
  const surplus = [...given.keys()].find((key) => !fields.has(key));
  if (surplus !== undefined)
    return `no ${JSON.stringify(surplus)}: it has name, hash, scopes and expiresAt`;
  const name = given.get("name");
  if (!isKeyName(name)) return `a name of ${keyNameRule}`;
  const hash = given.get("hash");
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/i.test(hash))
    return 'a hash of 64 hex digits, as "pawl keys create" prints it';
  const wanted: unknown = given.get("scopes");
  if (!Array.isArray(wanted) || wanted.length === 0 || !wanted.every(isScope))
    return `scopes among ${scopes.join(", ")}`;
  const expiresAt = readExpiry(given.get("expiresAt"));
  if (expiresAt === undefined) return "an expiresAt like 2030-01-31T00:00:00Z";
  return { name, hash: hash.toLowerCase(), scopes: wanted, expiresAt };
}

/** Undefined: it cannot be read. YAML and TOML have dates of their own. */
function readExpiry(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  const at =
    value instanceof Date
      ? value.getTime()
      : typeof value === "string" &&
          /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/i.test(value)
        ? Date.parse(value)
        : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
