// What the documents say, against the code: examples compile, and commands, flags, routes, options,
// scopes, error codes and links exist.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "pawl-cli/main";
import { scopes } from "@pawl/server/auth/scopes";
import { startServer, type PawlServer } from "@pawl/server/server";
import { createMemoryStore } from "@pawl/store/memory-store";
import { optionsPage, optionsPagePath } from "./options-page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = ["README.md", ...globSync("docs/*.md", { cwd: root }).toSorted()].map((path) => ({
  path,
  text: readFileSync(join(root, path), "utf8"),
}));
let server: PawlServer;

before(async () => {
  server = await startServer({ store: createMemoryStore() });
});
after(() => server.close());

test("every example compiles", () => {
  const examples = pages.flatMap(({ path, text }) =>
    fences(text, "ts").map((code, index) => ({ name: `${path} ${String(index + 1)}`, code })),
  );
  assert.ok(examples.length >= 10);
  const { code, out } = compile(examples);
  assert.equal(code, 0, out);
});

test("the check can fail: a wrong example does not compile", () => {
  const wrong = { name: "wrong", code: 'await step.sleep("nap", true);' };
  assert.match(compile([wrong]).out, /wrong\.ts\(1,25\): error TS2345/);
});

test("every command and flag exists", async () => {
  const overview = await helpOf();
  const names = [...overview.matchAll(/^ {2}pawl (\S+)/gm)].map(([, name = ""]) => name);
  assert.ok(names.includes("start"));
  const flags = new Map<string, Set<string>>();
  for (const name of names) flags.set(name, flagsIn(await helpOf(name)));
  const known = new Set([...flags.values()].flatMap((set) => [...set]));
  for (const { path, text } of pages) {
    for (const line of [
      ...fences(text, "sh").flatMap((code) => code.split("\n")),
      ...spans(text),
    ]) {
      const [, name] = /^pawl ([a-z]\S*)/.exec(line) ?? [];
      if (name === "help") continue;
      if (name !== undefined) assert.ok(flags.has(name), `${path}: there is no command: ${line}`);
      else if (!line.startsWith("--")) continue;
      const allowed = flags.get(name ?? "") ?? known;
      for (const flag of flagsIn(line))
        assert.ok(allowed.has(flag), `${path}: there is no ${flag}: ${line}`);
    }
  }
});

test("every route exists", async () => {
  const unknown = /"code":"([^"]+)"/.exec(await answerOf("GET", "/v1/nowhere/at/all"))?.[1];
  assert.ok(unknown);
  let count = 0;
  for (const { path, text } of pages) {
    for (const span of spans(text)) {
      const [, method, route] = /^(GET|POST|PUT|PATCH|DELETE) (\/\S*)$/.exec(span) ?? [];
      if (method === undefined || route === undefined) continue;
      const answer = await answerOf(method, route.replace(/\{\w+\}/g, "x"));
      const wrong = answer.startsWith("405") || answer.includes(`"${unknown}"`);
      assert.ok(!wrong, `${path}: ${span} leads nowhere: ${answer}`);
      count += 1;
    }
  }
  assert.ok(count > 20);
});

test("the page of options is the table of options", () => {
  const hint = "Run node tests/docs/options-page.ts";
  assert.equal(readFileSync(optionsPagePath, "utf8"), optionsPage(), hint);
});

test("codes, metrics and other words with underscores are in the code", () => {
  const source = globSync("packages/*/src/**/*.ts", { cwd: root })
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");
  for (const { path, text } of pages) {
    for (const word of spans(text).filter((span) => /^[a-z]+(_[a-z]+)+$/.test(span)))
      assert.ok(source.includes(word), `${path}: nothing in the code is called ${word}`);
  }
});

test("all scopes are named", () => {
  const page = pages.find(({ path }) => path === "docs/production.md")?.text ?? "";
  const named = page.split(/<!-- \/?scopes -->/)[1] ?? "";
  assert.deepEqual(spans(named), [...scopes]);
});

test("every link leads to a file", () => {
  for (const { path, text } of pages) {
    for (const [, target = ""] of text.matchAll(/\]\(([^)#:]+)\)/g))
      assert.ok(existsSync(join(root, dirname(path), target)), `${path}: ${target}`);
  }
});

test("the index names every page", () => {
  const index = pages.find(({ path }) => path === "docs/README.md")?.text ?? "";
  for (const { path } of pages.filter((page) => /^docs\/(?!README)/.test(page.path)))
    assert.ok(index.includes(`(${path.slice("docs/".length)})`), path);
});

function fences(text: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...text.matchAll(pattern)].map(([, code = ""]) => code);
}

/** Code within sentences; in tables `|` is written `\|`. */
function spans(text: string): string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, "");
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code.replaceAll("\\|", "|"));
}

function flagsIn(text: string): Set<string> {
  return new Set([...text.matchAll(/(?<=^|[\s[,])--[a-z][a-z-]*/gm)].map(([flag]) => flag));
}

async function helpOf(command?: string): Promise<string> {
  const lines: string[] = [];
  const code = await run(command === undefined ? ["help"] : ["help", command], {
    environment: {},
    directory: ".",
    print: (line) => lines.push(line),
    complain: (line) => lines.push(line),
    isInteractive: false,
    ask: async () => "",
    readInput: async () => "",
  });
  assert.equal(code, 0, lines.join("\n"));
  return lines.join("\n");
}

/** Status and beginning of an answer; streams are not read to their end. */
async function answerOf(method: string, path: string): Promise<string> {
  const response = await fetch(server.url + path, { method });
  if (response.ok) {
    await response.body?.cancel();
    return "ok";
  }
  return `${String(response.status)} ${await response.text()}`;
}

/** With the options of the repository, but for what only its own code has to keep to. */
function compile(examples: readonly { readonly name: string; readonly code: string }[]): {
  readonly code: number | null;
  readonly out: string;
} {
  const folder = mkdtempSync(join(import.meta.dirname, ".examples-"));
  try {
    const names = examples.map(({ name, code }) => {
      const file = `${name.replaceAll(/[^\w.]/g, "_")}.ts`;
      writeFileSync(join(folder, file), `${code}\nexport {};\n`);
      return file;
    });
    writeFileSync(
      join(folder, "stubs.ts"),
      readFileSync(join(import.meta.dirname, "stubs.txt"), "utf8"),
    );
    const settings = {
      extends: "../../../tsconfig.base.json",
      compilerOptions: {
        composite: false,
        declaration: false,
        noEmit: true,
        noUnusedLocals: false,
        noPropertyAccessFromIndexSignature: false,
        allowImportingTsExtensions: true,
      },
      files: [...names, "stubs.ts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    const tsc = join(root, "node_modules/.bin/tsc");
    const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", folder], {
      cwd: folder,
      encoding: "utf8",
    });
    return { code: status, out: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
