// Gives every option its value: flag before environment before file before default. What a value
// may be is said in `options.ts`.
import { dirname, resolve as resolvePath } from "node:path";
import { ServerError } from "../server-error.ts";
import type { ConfigFile } from "./file.ts";
import { nearestName } from "./nearest.ts";
import {
  environmentName,
  optionNames,
  options,
  type OptionName,
  type OptionValues,
} from "./options.ts";

export interface Sources {
  /** By option name: text, a list of texts, or true for flags. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: ConfigFile | null;
}

/**
 * Throws `option_unknown` for a key of the file that is no option, and `option_invalid` for a value
 * that cannot be used; both name where it stands. Values of secret options are never repeated.
 */
export function resolveOptions(sources: Sources): OptionValues {
  if (sources.file !== null) refuseUnknownKeys(sources.file);
  const entries = optionNames.map((name) => [name, resolveOne(name, sources)]);
  return Object.fromEntries(entries) as OptionValues; // proof: one entry for each name, read by its own option
}

function refuseUnknownKeys(file: ConfigFile): void {
  for (const key of Object.keys(file.values)) {
    if (Object.hasOwn(options, key) && key !== "config") continue;
    const nearest = nearestName(key, optionNames);
    const hint = nearest === null || nearest === key ? "" : ` Did you mean "${nearest}"?`;
    throw new ServerError("option_unknown", `Unknown key "${key}" in ${file.path}.${hint}`);
  }
}

function resolveOne(name: OptionName, sources: Sources): unknown {
  const flag = sources.flags[name];
  if (flag !== undefined) return read(name, flag, `--${name}`);
  const variable = environmentName(name);
  const environment = sources.environment[variable];
  if (environment !== undefined && environment !== "")
    return read(name, fromEnvironment(name, environment), variable);
  return fromFile(name, sources.file);
}

function fromFile(name: OptionName, file: ConfigFile | null): unknown {
  const value = file?.values[name];
  if (file === null || value === undefined) return options[name].fallback;
  const known = read(name, value, `"${name}" in ${file.path}`);
  return options[name].isPath && typeof known === "string"
    ? resolvePath(dirname(file.path), known)
    : known;
}

function fromEnvironment(name: OptionName, value: string): unknown {
  return options[name].kind === "list"
    ? value.split(/[\s,]+/).filter((item) => item !== "")
    : value;
}

function read(name: OptionName, raw: unknown, origin: string): unknown {
  const option = options[name];
  const reading = option.read(raw);
  if (reading.ok) return reading.value;
  const given = option.secret ? "" : `, not ${JSON.stringify(raw)}`;
  const hint = reading.hint === undefined ? "" : ` ${reading.hint}`;
  throw new ServerError("option_invalid", `${origin} must be ${reading.expected}${given}.${hint}`);
}
