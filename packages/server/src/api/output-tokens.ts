// Tokens that let their holder read the output of one run, and nothing else: an app hands them to
// whoever called its durable endpoint (protocol.md 6.3). They are good as long as the run is kept and the
// signing key is not changed. It must not know runs, and never logs a token.
import { hkdfSync } from "node:crypto";
import { normalizeSigningKey } from "@pawl/protocol/signature";
import { httpProblem, type Problem } from "../http/problem.ts";

const algorithm = "HS256";
const issuer = "pawl";
const audience = "pawl:output";

export class OutputTokens {
  /** The first one signs, all are accepted: keys are rotated. */
  readonly #secrets: readonly Uint8Array[];

  /**
   * `signingKeys`: the current one first. Without keys, on development servers, the secret is none: they
   * show everybody everything, and tokens must outlive the process.
   */
  constructor(signingKeys: readonly string[]) {
    const keys = signingKeys.length === 0 ? [""] : signingKeys.map(normalizeSigningKey);
    this.#secrets = keys.map((key) => new Uint8Array(hkdfSync("sha256", key, "", audience, 32)));
  }

  async issue(runId: string, now: number): Promise<string> {
    const { SignJWT } = await import("jose");
    const [secret] = this.#secrets;
    if (secret === undefined) throw new Error("a server has at least one secret for tokens");
    return new SignJWT({})
      .setProtectedHeader({ alg: algorithm, typ: "JWT" })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(runId)
      .setIssuedAt(Math.floor(now / 1_000))
      .sign(secret);
  }

  /** Why a token does not open the output of a run; null when it does. */
  async refusal(token: string, runId: string): Promise<Problem | null> {
    if (token === "") {
      const message = `Send the token that the app got for run ${runId} in the parameter token.`;
      return httpProblem(401, "token_missing", message);
    }
    const { jwtVerify } = await import("jose");
    for (const secret of this.#secrets) {
      try {
        await jwtVerify(token, secret, {
          algorithms: [algorithm],
          issuer,
          audience,
          subject: runId,
          // It has no expiry: no claim is about time.
          requiredClaims: ["sub", "iat"],
        });
        return null;
      } catch {
        // The next secret may fit; why this one does not is nobody's business.
      }
    }
    const message = `The token is none of this server, or not for the output of run ${runId}.`;
    return httpProblem(401, "token_invalid", message);
  }
}
