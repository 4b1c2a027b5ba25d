// `pawl keys create`: makes an API key, shows it once, and shows the entry of the configuration that
// lets it in. Nothing is stored and no server is asked: whoever may change the configuration
// decides who gets in.
import { randomBytes } from "node:crypto";
import {
  apiKeyBytes,
  apiKeyFrom,
  hashApiKey,
  isKeyName,
  keyNameRule,
} from "@pawl/server/auth/api-key";
import { isScope, scopes, type Scope } from "@pawl/server/auth/scopes";
import { nearestName } from "@pawl/server/config/nearest";
import { CliError } from "../cli-error.ts";
import type { Arguments, Command, FlagSpec, FlagValues, Terminal } from "../command.ts";

const flag = (kind: FlagSpec["kind"], placeholder: string, help: string): FlagSpec => ({
  kind,
  short: null,
  placeholder,
  help,
  environment: null,
  fallback: null,
});

export const keysCommand: Command = {
  name: "keys",
  summary: "Make an API key for people and tools.",
  usage: "create --name NAME --scopes SCOPES [--expires TIME]",
  positionalsMax: 1,
  flags: {
    name: flag("value", "NAME", `What logs call the key: ${keyNameRule}.`),
    scopes: flag("list", "SCOPES", `What it may do, with commas between: ${scopes.join(", ")}.`),
    expires: flag("value", "TIME", "When it ends: 90d, or a time such as 2030-01-31T00:00:00Z."),
    json: flag("flag", "", "Print the key and its entry as JSON."),
  },
  run: keys,
};

async function keys({ flags, positionals }: Arguments, terminal: Terminal): Promise<number> {
  const [action] = positionals;
  if (action !== "create") {
    const given = action === undefined ? "" : `, not "${action}"`;
    throw new CliError(
      "usage_invalid",
      `Say "pawl keys create --name ci --scopes runs:read,events:write"${given}.`,
    );
  }
  const name = readName(flags);
  const granted = readScopes(flags);
  const expiresAt = readExpiry(flags, Date.now());
  const key = apiKeyFrom(randomBytes(apiKeyBytes));
  const entry = {
    name,
    hash: hashApiKey(key),
    scopes: granted,
    ...(expiresAt === null ? null : { expiresAt }),
  };
  if (flags["json"] === true) terminal.print(JSON.stringify({ key, entry }));
  else for (const line of shown(key, entry)) terminal.print(line);
  return 0;
}

function shown(key: string, entry: object): readonly string[] {
  const text = JSON.stringify(entry);
  return [
    `key (shown only now): ${key}`,
    "",
    "Let it in by its hash, in the config file beside other keys, and start the server anew:",
    `  "api-keys": [${text}]`,
    "or in the environment:",
    `  PAWL_API_KEYS='[${text}]'`,
    "",
    "Requests carry it as:  authorization: Bearer <key>",
  ];
}

function readName({ name }: FlagValues): string {
  if (isKeyName(name)) return name;
  throw new CliError("usage_invalid", `Name the key with --name: ${keyNameRule}.`);
}

function readScopes({ scopes: given = [] }: FlagValues): readonly Scope[] {
  const texts = (Array.isArray(given) ? given.map(String) : [String(given)])
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (texts.length === 0) {
    const message = `Say what the key may do with --scopes: ${scopes.join(", ")}.`;
    throw new CliError("usage_invalid", message);
  }
  return [...new Set(texts)].map((text) => {
    if (isScope(text)) return text;
    const nearest = nearestName(text, scopes);
    const hint =
      nearest === null ? `Scopes are ${scopes.join(", ")}.` : `Did you mean "${nearest}"?`;
    throw new CliError("usage_invalid", `There is no scope "${text}". ${hint}`);
  });
}

const daysMax = 36_500;
const dayMs = 86_400_000;

/** As the configuration writes it. */
function readExpiry({ expires }: FlagValues, now: number): string | null {
  if (expires === undefined) return null;
  const text = String(expires);
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const at = days === undefined ? Date.parse(text) : now + Number(days) * dayMs;
  if (at > now && at <= now + daysMax * dayMs) return new Date(at).toISOString();
  throw new CliError(
    "usage_invalid",
    `--expires must be days from now such as 90d, or a time to come such as 2030-01-31T00:00:00Z, not ${text}.`,
  );
}
