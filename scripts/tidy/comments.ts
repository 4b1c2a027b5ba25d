// Checks what comments say: a header on every file, no banners, no notes for later, no code put to
// sleep, no silenced tool without a reason. It must not look at the code itself.
import type { Comment } from "oxc-parser";
import type { Finding } from "./finding.ts";
import type { Source } from "./source.ts";

/** Shorter ones cannot say what a file is for. */
const headerLengthMin = 20;

interface CommentRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly message: string;
}

const rules: readonly CommentRule[] = [
  { rule: "banner", pattern: /[-=*#~_─═]{6,}/, message: "no banners: split the file instead" },
  {
    rule: "later",
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b|\bfor now\b|\btemporarily\b/,
    message: "finish it, or file an issue; no notes for later in the code",
  },
  {
    rule: "dead-code",
    pattern:
      /^[^\S\n]*(?:(?:const|let|await|import|export|if|for|while)\b.*[;{]|return\b.*;|\w+\(.*\);)$/m,
    message: "no commented-out code: git keeps it",
  },
  {
    rule: "silenced",
    pattern: /@ts-(?:ignore|nocheck)|(?:oxlint|eslint)-disable(?!.*--\s*\S)/,
    message: "say the reason after `--`, for one line and one rule; never @ts-ignore",
  },
];

export function findCommentFaults(source: Source): Finding[] {
  const findings: Finding[] = [];
  const { path } = source;
  // The names of the tests in a test file say what it is for.
  const isTest = path.endsWith(".test.ts");
  if (!isTest && (source.isPackage || source.area === "scripts")) {
    const message = "open the file with a comment of its job and what it must not know";
    if (!hasHeader(source)) findings.push({ path, line: 1, rule: "header", message });
  }
  for (const comment of source.comments) {
    for (const { rule, pattern, message } of rules) {
      const match = pattern.exec(textOf(comment));
      if (match === null) continue;
      const line = source.lineOf(comment.start + match.index);
      findings.push({ path, line, rule, message });
    }
  }
  return findings;
}

/** The text without its marks, position for position: blanks stand where a mark stood. */
function textOf({ type, value }: Comment): string {
  if (type === "Line") return `  ${value}`;
  // Code between fences in the documentation of a symbol is an example of its use.
  const isDocumentation = value.startsWith("*");
  const text = isDocumentation ? value.replace(/^ *\* ```[^]*?^ *\* ```/gm, blanked) : value;
  return `  ${text.replace(/^\s*\*/gm, (mark) => mark.replace("*", " "))}`;
}

function blanked(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

function hasHeader(source: Source): boolean {
  const [first] = source.comments;
  const before = first === undefined ? "" : source.text.slice(0, first.start);
  if (first === undefined || before.replace(/^#!.*/, "").trim() !== "") return false;
  if (first.type === "Block") {
    // Without a blank line it documents the first symbol, not the file.
    const isApart = /^\s*\n\s*\n/.test(source.text.slice(first.end));
    return isApart && first.value.length >= headerLengthMin;
  }
  return headerLength(source) >= headerLengthMin;
}

/** Of the line comments that open the file and follow each other without a gap. */
function headerLength(source: Source): number {
  let length = 0;
  let line: number | null = null;
  for (const comment of source.comments) {
    const at = source.lineOf(comment.start);
    if (comment.type !== "Line" || (line !== null && at !== line + 1)) break;
    length += comment.value.trim().length;
    line = at;
  }
  return length;
}
