// Cuts a command line into flags and arguments. Values are checked by whoever needs them; here
// only the names count.
import { parseArgs, type ParseArgsOptionDescriptor } from "node:util";
import { nearestName } from "@pawl/server/config/nearest";
import { CliError } from "./cli-error.ts";
import type { Arguments, Command, FlagSpec } from "./command.ts";

/** Throws `usage_invalid` for a flag that the command does not have, and for surplus arguments. */
export function readArguments(
  command: Pick<Command, "name" | "flags" | "positionalsMax">,
  argv: readonly string[],
): Arguments {
  const { tokens, values, positionals } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(command.flags).map(([name, spec]) => [name, descriptor(spec)]),
    ),
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const spec = command.flags[token.name];
    if (spec === undefined) throw unknownFlag(command, token.rawName);
    if (spec.kind !== "flag" && token.value === undefined) {
      throw new CliError(
        "usage_invalid",
        `${token.rawName} needs a value: ${token.rawName} ${spec.placeholder}.`,
      );
    }
  }
  const surplus = positionals[command.positionalsMax];
  if (surplus !== undefined) {
    throw new CliError(
      "usage_invalid",
      `"${surplus}" is one argument too many. See "pawl help ${command.name}".`,
    );
  }
  const flags: Record<string, string | boolean | readonly string[]> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) flags[name] = Array.isArray(value) ? value.map(String) : value;
  }
  return { flags, positionals };
}

function descriptor(spec: FlagSpec): ParseArgsOptionDescriptor {
  return {
    type: spec.kind === "flag" ? "boolean" : "string",
    multiple: spec.kind === "list",
    ...(spec.short === null ? null : { short: spec.short }),
  };
}

function unknownFlag(command: Pick<Command, "name" | "flags">, rawName: string): CliError {
  const nearest = nearestName(rawName.replace(/^-+/, ""), Object.keys(command.flags));
  const hint = nearest === null ? `See "pawl help ${command.name}".` : `Did you mean --${nearest}?`;
  return new CliError("usage_invalid", `"pawl ${command.name}" has no flag ${rawName}. ${hint}`);
}
