// Checks that what the SDK takes from protocol never pulls in zod at run time: the SDK has no
// runtime dependencies. It must not judge any other import.
import type { Finding } from "./finding.ts";
import type { Import } from "./imports.ts";

export function findZodInSdk(imports: readonly Import[]): Finding[] {
  const byFile = Map.groupBy(
    imports.filter((each) => !each.isTypeOnly),
    (each) => each.from.path,
  );
  const known = new Map<string, readonly string[] | null>();
  const findings: Finding[] = [];
  for (const each of imports) {
    const isSdk = each.from.isPackage && each.from.area === "sdk" && !each.from.isTest;
    if (!isSdk || each.isTypeOnly || each.target === null) continue;
    if (!each.target.startsWith("packages/protocol/")) continue;
    const chain = chainToZod(each.target, byFile, known);
    if (chain === null) continue;
    const message = `pulls zod into the SDK: ${chain.join(" -> ")}; split the module or import types`;
    findings.push({ path: each.from.path, line: each.line, rule: "zod-free", message });
  }
  return findings;
}

/** The files from `path` to zod, or null; `known` keeps answers and ends circles. */
function chainToZod(
  path: string,
  byFile: ReadonlyMap<string, readonly Import[]>,
  known: Map<string, readonly string[] | null>,
): readonly string[] | null {
  const answer = known.get(path);
  if (answer !== undefined) return answer;
  known.set(path, null);
  for (const { specifier, target } of byFile.get(path) ?? []) {
    const isZod = specifier === "zod" || specifier.startsWith("zod/");
    const rest = isZod ? ["zod"] : target === null ? null : chainToZod(target, byFile, known);
    if (rest === null) continue;
    const chain = [path.replace(/^packages\//, ""), ...rest];
    known.set(path, chain);
    return chain;
  }
  return null;
}
