// Tests of the rules that look across files: layers, declared dependencies, zod in the SDK, circles
// and the ratchet.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { checkSources } from "./check.ts";
import { findCycles } from "./cycles.ts";
import { listImports } from "./imports.ts";
import { judgeKind, readRatchet } from "./ratchet.ts";
import { parseSource } from "./source.ts";
import { listEntryPoints, readPackage, resolveExport } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";

const header = "// A file of the tests, which knows nothing of other files and says so.\n";

function workspace(): Map<string, WorkspacePackage> {
  const names = ["protocol", "engine", "store", "store-sqlite", "server", "simulator"];
  const everyone = Object.fromEntries(names.map((name) => [`@pawl/${name}`, "0.1.0"]));
  const dependencies = { ...everyone, zod: "4", pawl: "1" };
  const exports = { "./*": "./src/*.ts" };
  const packages = names.map((name) =>
    readPackage(
      `packages/${name}`,
      JSON.stringify({ name: `@pawl/${name}`, exports, dependencies }),
    ),
  );
  packages.push(
    readPackage(
      "packages/sdk",
      JSON.stringify({ name: "pawl", exports, devDependencies: everyone }),
    ),
    readPackage(
      "packages/cli",
      JSON.stringify({
        name: "pawl-cli",
        exports,
        dependencies: { ...dependencies, "@types/aws-lambda": "8" },
      }),
    ),
    readPackage(".", JSON.stringify({ name: "root", devDependencies: { "fast-check": "4" } })),
  );
  return new Map(packages.map((each) => [each.name, each]));
}

/** Rules broken by files given as path -> code, each with a header. */
function broken(files: Record<string, string>): string[] {
  const sources = Object.entries(files).map(([path, code]) => parseSource(path, header + code));
  const ratchet = { functionLines: {}, fileLines: {}, testFileLines: {}, unproved: {} };
  const { findings } = checkSources(sources, workspace(), ratchet);
  return findings.map(({ path, rule }) => `${rule} ${path}`);
}

function brokenBy(path: string, code: string): string[] {
  return broken({ [path]: code }).map((finding) => finding.split(" ", 1)[0] ?? "");
}

suite("layers", () => {
  test("imports follow the layers downwards", () => {
    const fine: readonly [string, string][] = [
      ["packages/engine/src/x.ts", "@pawl/protocol/ulid"],
      ["packages/store-sqlite/src/x.ts", "@pawl/store/store"],
      ["packages/server/src/x.ts", "@pawl/engine/records"],
      ["packages/cli/src/x.ts", "@pawl/server/listen"],
      ["packages/sdk/src/x.ts", "@pawl/protocol/ulid"],
      ["packages/simulator/src/x.ts", "@pawl/store/store"],
    ];
    for (const [path, specifier] of fine) {
      assert.deepEqual(brokenBy(path, `import { a } from "${specifier}";`), [], path);
    }
  });

  test("and never upwards, types neither", () => {
    const wrong: readonly [string, string][] = [
      ["packages/protocol/src/x.ts", "@pawl/engine/records"],
      ["packages/engine/src/x.ts", "@pawl/store/store"],
      ["packages/engine/src/x.ts", "@pawl/server/listen"],
      ["packages/store/src/x.ts", "@pawl/store-sqlite/open"],
      ["packages/server/src/x.ts", "@pawl/store-sqlite/open"],
      ["packages/server/src/x.ts", "@pawl/simulator/seed"],
    ];
    for (const [path, specifier] of wrong) {
      const code = `import type { A } from "${specifier}";`;
      assert.deepEqual(brokenBy(path, code), ["layer"], `${path} ${specifier}`);
    }
  });

  test("tests may look sideways, not at what is built on their own package", () => {
    const code = (specifier: string): string => `import { a } from "${specifier}";`;
    assert.deepEqual(
      brokenBy("packages/server/src/x.test.ts", code("@pawl/store-sqlite/open")),
      [],
    );
    assert.deepEqual(brokenBy("packages/engine/src/x.test.ts", code("@pawl/store/memory")), [
      "layer",
    ]);
  });

  test("a package is entered by name and left by name", () => {
    assert.deepEqual(
      brokenBy("packages/engine/src/x.ts", `import { a } from "../../protocol/src/ulid.ts";`),
      ["layer"],
    );
    assert.deepEqual(brokenBy("packages/engine/src/x.ts", `import { a } from "@pawl/engine/y";`), [
      "layer",
    ]);
  });

  test("the pure packages know nothing of Node, their tests do", () => {
    const code = `import { readFileSync } from "node:fs";`;
    assert.deepEqual(brokenBy("packages/engine/src/x.ts", code), ["layer"]);
    assert.deepEqual(brokenBy("packages/engine/src/x.test.ts", code), []);
    assert.deepEqual(brokenBy("packages/sdk/src/send.ts", code), ["layer"]);
    assert.deepEqual(brokenBy("packages/sdk/src/adapters/node.ts", code), []);
    assert.deepEqual(brokenBy("packages/store/src/contract/x.ts", `import "node:test";`), []);
  });

  test("what is imported is declared", () => {
    const code = `import fc from "fast-check";`;
    assert.deepEqual(brokenBy("packages/engine/src/x.ts", code), ["undeclared"]);
    assert.deepEqual(brokenBy("packages/engine/src/x.test.ts", code), []);
  });

  test("a package of types speaks for the package whose types it has", () => {
    const code = `import type { Event } from "aws-lambda";\nexport type E = Event;`;
    assert.deepEqual(brokenBy("packages/engine/src/x.ts", code), ["undeclared"]);
    assert.deepEqual(brokenBy("packages/cli/src/x.ts", code), []);
  });
});

suite("zod in the SDK", () => {
  const protocol = {
    "packages/protocol/src/a.ts": `import { b } from "./b.ts";\nexport const a = b;`,
    "packages/protocol/src/b.ts": `import { z } from "zod";\nexport const b = z;`,
  };

  test("is found through other modules", () => {
    const files = { ...protocol, "packages/sdk/src/x.ts": `import { a } from "@pawl/protocol/a";` };
    assert.deepEqual(broken(files), ["zod-free packages/sdk/src/x.ts"]);
  });

  test("types cost nothing", () => {
    const files = {
      ...protocol,
      "packages/sdk/src/x.ts": `import type { A } from "@pawl/protocol/a";`,
    };
    assert.deepEqual(broken(files), []);
  });
});

suite("cycles", () => {
  test("a circle of types across packages is shown whole", () => {
    const files = {
      "packages/engine/src/a.ts": `import type { B } from "./b.ts";`,
      "packages/engine/src/b.ts": `export type C = import("./sub/c.ts").C;`,
      "packages/engine/src/sub/c.ts": `export { a } from "../a.ts";\nexport const d = 1;`,
    };
    const sources = Object.entries(files).map(([path, code]) => parseSource(path, code));
    const [finding, ...more] = findCycles(
      sources.flatMap((each) => listImports(each, workspace())),
    );
    assert.deepEqual(more, []);
    assert.match(finding?.message ?? "", /a\.ts -> .*b\.ts -> .*c\.ts -> .*a\.ts$/);
  });

  test("are found in any graph if and only if there is one", () => {
    const edge = fc.tuple(fc.nat(7), fc.nat(7));
    fc.assert(
      fc.property(fc.uniqueArray(edge, { selector: String, maxLength: 20 }), (edges) => {
        const codes = Array.from({ length: 8 }, (_, from) =>
          edges
            .filter(([start]) => start === from)
            .map(([, to]) => `import "./${to}.ts";`)
            .join("\n"),
        );
        const sources = codes.map((code, at) => parseSource(`tests/${at}.ts`, code));
        const found = findCycles(sources.flatMap((each) => listImports(each, workspace())));
        assert.equal(found.length > 0, hasCircle(edges));
      }),
    );
  });
});

/** By taking away, again and again, what nothing leads to: a remainder is a circle. */
function hasCircle(edges: readonly (readonly [number, number])[]): boolean {
  let left = edges;
  for (;;) {
    const kept = left.filter(([from]) => left.some(([, to]) => to === from));
    if (kept.length === left.length) return left.length > 0;
    left = kept;
  }
}

suite("ratchet", () => {
  const measure = (lines: number) => [{ key: "a.ts#f", line: 3, lines }];

  test("the limit holds without an entry", () => {
    assert.equal(judgeKind("functionLines", measure(70), {}).findings.length, 0);
    assert.equal(judgeKind("functionLines", measure(71), {}).findings.length, 1);
  });

  test("an entry accepts its number, not one more", () => {
    const accepted = { "a.ts#f": 90 };
    assert.equal(judgeKind("functionLines", measure(90), accepted).findings.length, 0);
    assert.equal(judgeKind("functionLines", measure(91), accepted).findings.length, 1);
  });

  test("an entry that is too high is a finding; lowering never raises", () => {
    const accepted = { "a.ts#f": 90 };
    const fallen = judgeKind("functionLines", measure(80), accepted);
    assert.equal(fallen.findings.length, 1);
    assert.deepEqual(fallen.lowered, { "a.ts#f": 80 });
    assert.deepEqual(judgeKind("functionLines", measure(70), accepted).lowered, {});
    assert.deepEqual(judgeKind("functionLines", [], accepted).lowered, {});
    assert.deepEqual(judgeKind("functionLines", measure(95), accepted).lowered, accepted);
    assert.deepEqual(judgeKind("functionLines", measure(95), {}).lowered, {});
  });

  test("a table with anything but numbers is refused", () => {
    assert.throws(() => readRatchet(`{"functionLines":{"a":"1"}}`), TypeError);
  });
});

suite("sizes", () => {
  test("long files and functions are found, longer tests are fine", () => {
    const code = `export const a = () => {\n${"  b();\n".repeat(450)}};\n`;
    assert.deepEqual(brokenBy("packages/engine/src/x.ts", code), ["fileLines", "functionLines"]);
    assert.deepEqual(brokenBy("packages/engine/src/x.test.ts", code), []);
    assert.deepEqual(brokenBy("packages/store/src/contract/x.ts", code), []);
  });
});

suite("exports", () => {
  test("patterns, exact names and conditions lead to sources", () => {
    const exports = {
      ".": { types: "./dist/index.d.ts", default: "./src/index.ts" },
      "./*": "./src/*.ts",
    };
    const target = readPackage("packages/sdk", JSON.stringify({ name: "pawl", exports }));
    assert.equal(resolveExport(target, "pawl"), "packages/sdk/src/index.ts");
    assert.equal(resolveExport(target, "pawl/replay/state"), "packages/sdk/src/replay/state.ts");
    assert.deepEqual(
      [...listEntryPoints(new Map([["pawl", target]]))],
      ["packages/sdk/src/index.ts"],
    );
  });
});
