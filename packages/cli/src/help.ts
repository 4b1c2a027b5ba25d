// Writes the texts of `pawl help` from what commands say of themselves. Pure: it must not know
// where texts go, nor which commands there are.
import type { Command, FlagSpec } from "./command.ts";

/** What `pawl` can do, one line a command. */
export function overview(commands: readonly Command[], version: string): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map(
    (command) => `  pawl ${command.name.padEnd(width)}  ${command.summary}`,
  );
  return [
    `pawl ${version}: step functions that survive crashes`,
    "",
    ...lines,
    "",
    'Run "pawl help <command>" for its flags, "pawl --version" for the version.',
  ].join("\n");
}

/** All about one command. */
export function commandHelp(command: Command): string {
  const heads = Object.entries(command.flags).map(([name, spec]) => flagHead(name, spec));
  const width = Math.max(...heads.map((head) => head.length));
  const rows = Object.values(command.flags).map(
    (spec, index) => `  ${(heads[index] ?? "").padEnd(width)}  ${flagTail(spec)}`,
  );
  return [`pawl ${command.name} ${command.usage}`.trimEnd(), "", command.summary, "", ...rows].join(
    "\n",
  );
}

function flagHead(name: string, spec: FlagSpec): string {
  const short = spec.short === null ? "    " : `-${spec.short}, `;
  return `${short}--${name}${spec.placeholder === "" ? "" : ` ${spec.placeholder}`}`;
}

function flagTail(spec: FlagSpec): string {
  const notes = [
    ...(spec.fallback === null ? [] : [`default ${spec.fallback}`]),
    ...(spec.environment === null ? [] : [spec.environment]),
  ];
  return notes.length === 0 ? spec.help : `${spec.help} (${notes.join(", ")})`;
}
