// Tests of the rules that look at one file: each shows what is refused beside what is fine.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { findBans } from "./bans.ts";
import { findCommentFaults } from "./comments.ts";
import { findUnproved } from "./proofs.ts";
import { measureFile, measureFunctions } from "./sizes.ts";
import { parseSource } from "./source.ts";

const entryPoints = new Set(["packages/sdk/src/index.ts"]);
const header = "// A file of the tests, which knows nothing of other files and says so.\n";

function bans(path: string, code: string): string[] {
  return findBans(parseSource(path, code), entryPoints).map(({ rule, line }) => `${rule}:${line}`);
}

function commentFaults(code: string, path = "packages/engine/src/x.ts"): string[] {
  return findCommentFaults(parseSource(path, code)).map(({ rule, line }) => `${rule}:${line}`);
}

function unproved(code: string): number[] {
  return findUnproved(parseSource("packages/engine/src/x.ts", code)).map(({ line }) => line);
}

suite("bans", () => {
  test("clocks, chance and timers are banned in the pure packages", () => {
    const code = [
      "const now = Date.now();",
      "const chance = Math.random();",
      "const id = crypto.randomUUID();",
      "setTimeout(() => {}, 5);",
      "const today = new Date();",
      "items.map(Math.random);",
    ].join("\n");
    const all = ["pure:1", "pure:2", "pure:3", "pure:4", "pure:5", "pure:6"];
    for (const area of ["protocol", "engine", "store", "store-sqlite", "store-postgres"]) {
      assert.deepEqual(bans(`packages/${area}/src/x.ts`, code), all, area);
    }
    assert.deepEqual(bans("packages/server/src/x.ts", code), []);
    assert.deepEqual(bans("tests/engine/x.ts", code), []);
  });

  test("a moment that was given, and words in texts, are fine", () => {
    const code = `const at = new Date(now); const text = "Date.now()"; timers.setTimeout(at);`;
    assert.deepEqual(bans("packages/engine/src/x.ts", code), []);
  });

  test("any is banned, unknown is not", () => {
    assert.deepEqual(bans("tests/x.ts", "let a: unknown;\nlet b: any;\nlet c: any[];"), [
      "any:2",
      "any:3",
    ]);
  });

  test("only the cli and what is no package may print", () => {
    const code = "console.log(1);";
    assert.deepEqual(bans("packages/server/src/x.ts", code), ["console:1"]);
    assert.deepEqual(bans("packages/cli/src/x.ts", code), []);
    assert.deepEqual(bans("examples/shop/x.ts", code), []);
  });

  test("a file that only re-exports is a barrel, one that also defines is not", () => {
    const path = "packages/engine/src/x.ts";
    assert.deepEqual(bans(path, `export { a } from "./a.ts";`), ["barrel:1"]);
    assert.deepEqual(bans(path, `export { a } from "./a.ts"; export const b = 1;`), []);
    assert.deepEqual(bans(path, `export * from "./a.ts"; export const b = 1;`), ["barrel:1"]);
    assert.deepEqual(bans("packages/sdk/src/index.ts", `export { a } from "./a.ts";`), []);
  });
});

suite("comments", () => {
  test("a header is a comment of its own ahead of everything", () => {
    assert.deepEqual(commentFaults(`${header}export const a = 1;`), []);
    assert.deepEqual(commentFaults(`#!/usr/bin/env node\n${header}export const a = 1;`), []);
    assert.deepEqual(commentFaults("export const a = 1;"), ["header:1"]);
    assert.deepEqual(commentFaults("// Too short.\nexport const a = 1;"), ["header:1"]);
    assert.deepEqual(commentFaults(`import "x";\n${header}`), ["header:1"]);
  });

  test("a docstring of the first symbol is no header", () => {
    const doc = "/** Says at length what the one symbol below is there for. */";
    assert.deepEqual(commentFaults(`${doc}\nexport const a = 1;`), ["header:1"]);
    assert.deepEqual(commentFaults(`${doc}\n\nexport const a = 1;`), []);
  });

  test("banners, notes for later, dead code and silenced tools are refused", () => {
    const faults = [
      ["// ------------- helpers", "banner:2"],
      ["// TODO: later", "later:2"],
      ["// good enough for now", "later:2"],
      ["// const old = compute(1);", "dead-code:2"],
      ["/*\n * return old;\n */", "dead-code:3"],
      ["/*\n * ```ts\n * const old = compute(1);\n * ```\n */", "dead-code:4"],
      ["// @ts-ignore", "silenced:2"],
      ["// oxlint-disable-next-line no-new", "silenced:2"],
    ] as const;
    for (const [comment, fault] of faults) {
      assert.deepEqual(commentFaults(`${header}${comment}\nexport const a = 1;`), [fault], comment);
    }
  });

  test("prose that mentions code, and a reasoned exception, are fine", () => {
    const comments = [
      "// If the run waits, `return` ends the step for good.",
      "// for each shard; see decide()",
      "// oxlint-disable-next-line no-new -- the constructor registers itself",
      "/**\n * Is used so:\n *\n * ```ts\n * const a = compute(1);\n * ```\n */",
    ];
    for (const comment of comments) {
      assert.deepEqual(commentFaults(`${header}${comment}\nexport const a = 1;`), [], comment);
    }
  });
});

suite("proofs", () => {
  test("an assertion needs a proof", () => {
    assert.deepEqual(unproved("const a = b as string;\nconst c = d!;\nlet e!: number;"), [1, 2, 3]);
  });

  test("beside it, above it or above its statement", () => {
    assert.deepEqual(unproved("const a = b as string; // proof: checked above"), []);
    assert.deepEqual(unproved("// proof: checked\n// by the caller\nconst a = b as string;"), []);
    assert.deepEqual(unproved("// proof: checked\nconst a = f(\n  1,\n  b as string,\n);"), []);
  });

  test("a proof does not reach the next statement, nor does any comment prove", () => {
    assert.deepEqual(unproved("// proof: checked\nconst a = b as C;\nconst d = e as F;"), [3]);
    assert.deepEqual(unproved("// surely\nconst a = b as string;"), [2]);
  });

  test("as const and satisfies assert nothing", () => {
    assert.deepEqual(unproved("const a = [1] as const;\nconst b = 1 satisfies number;"), []);
  });
});

suite("sizes", () => {
  test("functions are named by where they stand and measured in lines", () => {
    const code = `class A {\n  b(): void {\n    const c = () => {\n      d();\n    };\n  }\n}\n`;
    const source = parseSource("packages/engine/src/x.ts", code);
    assert.deepEqual(
      measureFunctions(source).map(({ key, line, lines }) => [key, line, lines]),
      [
        ["packages/engine/src/x.ts#A.b", 2, 5],
        ["packages/engine/src/x.ts#A.b.c", 3, 3],
      ],
    );
    assert.equal(measureFile(source).lines, 7);
  });
});
