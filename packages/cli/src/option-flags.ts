// Turns the server's options into flags of a command, and the flags that were given back into
// option values, together with environment and config file.
import { resolve } from "node:path";
import { findConfigFile, readConfigFile } from "@pawl/server/config/file";
import {
  environmentName,
  optionNames,
  options,
  type OptionValues,
} from "@pawl/server/config/options";
import type { Option, OptionCommand } from "@pawl/server/config/option-kinds";
import { resolveOptions } from "@pawl/server/config/resolve";
import type { FlagSpec, FlagValues, Terminal } from "./command.ts";

/** The flags of the options that a command takes. */
export function optionFlags(command: OptionCommand): Readonly<Record<string, FlagSpec>> {
  const flags: Record<string, FlagSpec> = {};
  for (const name of optionNames) {
    const option: Option<unknown> = options[name];
    if (!option.commands.includes(command)) continue;
    const { fallback } = option;
    flags[name] = {
      kind: option.kind,
      short: option.short,
      placeholder: option.placeholder,
      help: option.help,
      environment: environmentName(name),
      fallback:
        typeof fallback === "string" || typeof fallback === "number" ? String(fallback) : null,
    };
  }
  return flags;
}

/** Every option's value. Rejects with `option_invalid`, `option_unknown`, `config_file_invalid`. */
export async function readOptions(flags: FlagValues, terminal: Terminal): Promise<OptionValues> {
  const chosen = flags["config"] ?? terminal.environment[environmentName("config")];
  const path =
    typeof chosen === "string" && chosen !== ""
      ? resolve(terminal.directory, chosen)
      : findConfigFile(terminal.directory);
  const file = path === null ? null : await readConfigFile(path);
  return resolveOptions({ flags, environment: terminal.environment, file });
}
