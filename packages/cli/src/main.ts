// Chooses the command and turns its outcome into an exit code: 0 fine, 1 failed, 2 not understood.
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { nearestName } from "@pawl/server/config/nearest";
import { ServerError } from "@pawl/server/server-error";
import { StoreError } from "@pawl/store/store-error";
import { version } from "@pawl/server/api/version";
import { readArguments } from "./arguments.ts";
import { CliError } from "./cli-error.ts";
import type { Command, FlagSpec, Terminal } from "./command.ts";
import { devCommand, startCommand } from "./commands/serve.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { keysCommand } from "./commands/keys.ts";
import { explainCommand } from "./commands/explain.ts";
import { schedulesCommand } from "./commands/schedules.ts";
import { runsCommand } from "./commands/runs.ts";
import { sendCommand } from "./commands/send.ts";
import { commandHelp, overview } from "./help.ts";

const helpFlag: FlagSpec = {
  kind: "flag",
  short: "h",
  placeholder: "",
  help: "Show this text.",
  environment: null,
  fallback: null,
};

const commands: readonly Command[] = [
  devCommand,
  startCommand,
  sendCommand,
  schedulesCommand,
  runsCommand,
  doctorCommand,
  keysCommand,
  explainCommand,
].map((command) => ({
  ...command,
  flags: { ...command.flags, help: helpFlag },
}));

/** Runs one command line (without `node` and script) on this process. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  return run(argv, processTerminal());
}

/** Runs one command line on any terminal. Never rejects. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const [first, ...rest] = argv;
    if (first === undefined || first === "--help" || first === "-h")
      return showHelp(undefined, terminal);
    if (first === "help") return showHelp(rest[0], terminal);
    if (first === "--version" || first === "-v" || first === "version") {
      terminal.print(version);
      return 0;
    }
    const command = findCommand(first);
    const args = readArguments(command, rest);
    if (args.flags["help"] === true) return showHelp(first, terminal);
    return await command.run(args, terminal);
  } catch (error) {
    terminal.complain(`pawl: ${explain(error)}`);
    return error instanceof CliError && error.code === "usage_invalid" ? 2 : 1;
  }
}

function showHelp(name: string | undefined, terminal: Terminal): number {
  terminal.print(name === undefined ? overview(commands, version) : commandHelp(findCommand(name)));
  return 0;
}

function findCommand(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const nearest = nearestName(
    name,
    commands.map((candidate) => candidate.name),
  );
  const hint = nearest === null ? 'See "pawl help".' : `Did you mean "pawl ${nearest}"?`;
  throw new CliError("usage_invalid", `There is no command "${name}". ${hint}`);
}

/** Errors that name what to do are shown as they are; others are bugs and come with their stack. */
function explain(error: unknown): string {
  if (error instanceof CliError || error instanceof ServerError || error instanceof StoreError) {
    return `${error.message} (${error.code})`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

function processTerminal(): Terminal {
  return {
    environment: process.env,
    directory: process.cwd(),
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
    isInteractive: process.stdout.isTTY,
    ask,
    readInput: () => text(process.stdin),
  };
}
