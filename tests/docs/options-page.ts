// Writes docs/options.md out of the option table of the server: `node tests/docs/options-page.ts`. It
// must not know how options are read.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Option } from "@pawl/server/config/option-kinds";
import { environmentName, optionNames, options } from "@pawl/server/config/options";

/** Where the page lies. */
export const optionsPagePath = fileURLToPath(new URL("../../docs/options.md", import.meta.url));

/** The whole page. */
export function optionsPage(): string {
  const rows = optionNames.map((name) => row(name, options[name]));
  return `# Options of the server

Written by \`node tests/docs/options-page.ts\` from the table that the server reads. \`--port\` is \`PAWL_PORT\` in the environment and
\`port\` in a config file; a flag beats the environment, that beats the file. \`pawl help dev\` shows the same.

| option | of | default | accepts | meaning |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function row(name: string, option: Option<unknown>): string {
  const reading = option.read(undefined);
  const accepts = reading.ok ? "" : reading.expected;
  const cells = [
    `\`--${name}\`, \`${environmentName(name)}\``,
    option.commands.join(", "),
    defaultOf(option.fallback),
    accepts,
    option.help,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function defaultOf(fallback: unknown): string {
  if (typeof fallback === "number" || typeof fallback === "string") return String(fallback);
  return fallback === false ? "off" : "–";
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(optionsPagePath, optionsPage());
