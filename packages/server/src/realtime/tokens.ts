// Tokens that let their holder subscribe: made and checked here, kept nowhere (decision on realtime
// in decisions/). Algorithm, issuer and audience are pinned; signatures are compared by the library, in
// constant time. It must not know subscribers, and never logs a token.
import { hkdfSync, randomBytes } from "node:crypto";
import { normalizeSigningKey } from "@pawl/protocol/signature";
import { accountId, environmentId } from "../api/wire-ids.ts";
import { httpProblem, type Problem } from "../http/problem.ts";
import type { RealtimeLimits } from "./limits.ts";
import type { Topic } from "./topics.ts";

/** How long a token may be used to subscribe; what was subscribed lives on (protocol.md 5.9). */
export const tokenSeconds = 60;

const algorithm = "HS256";
const issuer = "rt.inngest.com";
const audience = "pawl:realtime";
/** How far the clocks of two servers may be apart. */
const clockToleranceSeconds = 5;

export interface TokenParts {
  /** The first one signs, all are accepted: keys are rotated. */
  readonly secrets: readonly Uint8Array[];
  readonly now: () => number;
  /** A ULID. */
  readonly nextId: (now: number) => string;
  /** Of the topics in a token. */
  readonly limits: RealtimeLimits;
}

export type TokenReading =
  | { readonly ok: true; readonly topics: readonly Topic[] }
  | { readonly ok: false; readonly problem: Problem };

/**
 * Secrets of a server with these signing keys: the same on every server that has them, and of no
 * use for anything else. Without keys one that ends with the process.
 */
export function tokenSecrets(signingKeys: readonly string[]): readonly Uint8Array[] {
  if (signingKeys.length === 0) return [randomBytes(32)];
  return signingKeys.map(
    (key) => new Uint8Array(hkdfSync("sha256", normalizeSigningKey(key), "", audience, 32)),
  );
}

export class Tokens {
  readonly #parts: TokenParts;

  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  /** A token for these topics, good for a minute. */
  async issue(topics: readonly Topic[]): Promise<string> {
    const { SignJWT } = await import("jose");
    const { secrets, now, nextId } = this.#parts;
    const [secret] = secrets;
    if (secret === undefined) throw new Error("a server has at least one secret for tokens");
    const seconds = Math.floor(now() / 1_000);
    return new SignJWT({ env: environmentId, topics })
      .setProtectedHeader({ alg: algorithm, typ: "JWT" })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(accountId)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + tokenSeconds)
      .setJti(nextId(now()))
      .sign(secret);
  }

  /** What a token is good for, or why for nothing. Says nothing about why a signature is wrong. */
  async read(token: string): Promise<TokenReading> {
    if (token === "") {
      const message = "Send a token of POST /v1/realtime/token in the parameter token.";
      return { ok: false, problem: httpProblem(401, "token_missing", message) };
    }
    const { secrets, now, limits } = this.#parts;
    const { jwtVerify, errors } = await import("jose");
    const { topicsSchema } = await import("./topics-schema.ts");
    for (const secret of secrets) {
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: [algorithm],
          issuer,
          audience,
          subject: accountId,
          requiredClaims: ["exp", "iat", "jti"],
          maxTokenAge: tokenSeconds,
          clockTolerance: clockToleranceSeconds,
          currentDate: new Date(now()),
        });
        const topics = topicsSchema(limits).safeParse(payload["topics"]);
        return topics.success ? { ok: true, topics: topics.data } : invalid();
      } catch (error) {
        if (error instanceof errors.JWTExpired) return expired();
      }
    }
    return invalid();
  }
}

function invalid(): TokenReading {
  const message =
    "The token is none of this server, or not for realtime. Get one from POST /v1/realtime/token.";
  return { ok: false, problem: httpProblem(401, "token_invalid", message) };
}

function expired(): TokenReading {
  const message = `The token has expired: it is good for ${String(tokenSeconds)} seconds. Get another from POST /v1/realtime/token.`;
  return { ok: false, problem: httpProblem(401, "token_expired", message) };
}
