// Applies every tidy rule to a set of sources. It must not read files or print.
import { findBans } from "./bans.ts";
import { findCommentFaults } from "./comments.ts";
import { findCycles } from "./cycles.ts";
import type { Finding } from "./finding.ts";
import { listImports } from "./imports.ts";
import { findLayerFaults } from "./layers.ts";
import { findUnproved } from "./proofs.ts";
import { judgeKind, limits } from "./ratchet.ts";
import type { Ratchet } from "./ratchet.ts";
import { measureFile, measureFunctions } from "./sizes.ts";
import type { Measure } from "./sizes.ts";
import type { Source } from "./source.ts";
import { listEntryPoints } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";
import { findZodInSdk } from "./zod-free.ts";

export interface Tidiness {
  /** By path and line. */
  readonly findings: readonly Finding[];
  /** The ratchet with its numbers at what was measured. */
  readonly lowered: Ratchet;
}

export function checkSources(
  sources: readonly Source[],
  workspace: ReadonlyMap<string, WorkspacePackage>,
  ratchet: Ratchet,
): Tidiness {
  const imports = sources.flatMap((source) => listImports(source, workspace));
  const code = sources.filter(({ isTest }) => !isTest);
  const tests = sources.filter(({ isTest }) => isTest);
  const entryPoints = listEntryPoints(workspace);
  const unproved = sources.flatMap(findUnproved);
  const judged = {
    functionLines: judgeKind(
      "functionLines",
      code.flatMap(measureFunctions),
      ratchet.functionLines,
    ),
    fileLines: judgeKind("fileLines", code.map(measureFile), ratchet.fileLines),
    testFileLines: judgeKind("testFileLines", tests.map(measureFile), ratchet.testFileLines),
    unproved: judgeKind("unproved", countByFile(unproved), ratchet.unproved),
  };
  const findings = [
    ...sources.flatMap((source) => findBans(source, entryPoints)),
    ...sources.flatMap(findCommentFaults),
    ...findLayerFaults(imports, workspace),
    ...findZodInSdk(imports),
    ...findCycles(imports),
    ...judged.functionLines.findings,
    ...judged.fileLines.findings,
    ...judged.testFileLines.findings,
    ...judged.unproved.findings.flatMap((verdict) => spellOut(verdict, unproved, ratchet)),
  ];
  return {
    findings: findings.toSorted(byPlace),
    lowered: {
      functionLines: judged.functionLines.lowered,
      fileLines: judged.fileLines.lowered,
      testFileLines: judged.testFileLines.lowered,
      unproved: judged.unproved.lowered,
    },
  };
}

/** Where no number is accepted, the places themselves say more than their count. */
function spellOut(verdict: Finding, unproved: readonly Finding[], ratchet: Ratchet): Finding[] {
  const accepted = ratchet.unproved[verdict.path] ?? limits.unproved;
  if (accepted > 0) return [verdict];
  const places = unproved.filter(({ path }) => path === verdict.path);
  return places.length > 0 ? places : [verdict];
}

function countByFile(findings: readonly Finding[]): Measure[] {
  const counts = new Map<string, number>();
  for (const { path } of findings) counts.set(path, (counts.get(path) ?? 0) + 1);
  return [...counts].map(([key, lines]) => ({ key, line: 1, lines }));
}

function byPlace(a: Finding, b: Finding): number {
  return a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1;
}
