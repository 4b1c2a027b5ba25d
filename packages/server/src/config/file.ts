// Finds and reads the config file: JSON, YAML or TOML with option names as keys. It must not know
// what the options mean. The parsers are loaded only when a file of their kind is there.
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { ServerError } from "../server-error.ts";

export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const names = ["pawl.json", "pawl.yaml", "pawl.yml", "pawl.toml"];

/** The config file in `directory` or the closest folder above it that has one; null: there is none. */
export function findConfigFile(directory: string): string | null {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const found = names.map((name) => join(folder, name)).filter((path) => existsSync(path));
    if (found.length > 1) {
      const both = found.map((path) => basename(path)).join(" and ");
      throw new ServerError(
        "config_file_invalid",
        `${folder} has ${both}; keep one of them or choose with --config.`,
      );
    }
    if (found[0] !== undefined) return found[0];
    if (dirname(folder) === folder) return null;
  }
}

/** Reads a config file of any kind. Throws `config_file_invalid` naming the file and what is wrong. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let values: unknown;
  try {
    values = await parse(path, readFileSync(path, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw new ServerError(
      "config_file_invalid",
      `The config file ${path} cannot be read: ${reason ?? ""}`,
      { cause: error },
    );
  }
  // An empty YAML file is the same as no settings.
  if (values === null || values === undefined) return { path, values: {} };
  if (typeof values !== "object" || Array.isArray(values)) {
    throw new ServerError(
      "config_file_invalid",
      `The config file ${path} must hold keys and values.`,
    );
  }
  return { path, values: Object.fromEntries(Object.entries(values)) };
}

async function parse(path: string, content: string): Promise<unknown> {
  switch (extname(path)) {
    case ".json":
      return JSON.parse(content);
    case ".yaml":
    case ".yml":
      return (await import("yaml")).parse(content);
    case ".toml":
      return (await import("smol-toml")).parse(content);
    default:
      throw new Error("its name must end in .json, .yaml, .yml or .toml.");
  }
}
