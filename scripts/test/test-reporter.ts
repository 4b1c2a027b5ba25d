// Reporter for `node --test`: prints failures, slow tests and diagnostics (seeds), and stays silent
// about the thousands that simply pass. It must not decide whether the run as a whole succeeded.
import { relative, resolve } from "node:path";
import { inspect } from "node:util";
import type { TestEvent } from "node:test/reporters";
import { countsVariable, writeCounts } from "./counts.ts";

const slowMs = 500;
const outputLinesMax = 200;

type Ended = Extract<TestEvent, { type: "test:pass" | "test:fail" }>["data"];

/** Counts and remembers while events arrive; `take` turns an event into the text to print. */
export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly emptyFiles: string[] = [];
  /** Names of the tests now open, by nesting, to show where a failure belongs: files take turns. */
  readonly #open: string[] = [];
  readonly #output = new Map<string, string[]>();

  /** Text to print for one event, often empty. */
  take(event: TestEvent): string {
    switch (event.type) {
      case "test:start":
        this.#open[event.data.nesting] = event.data.name;
        return "";
      case "test:pass":
        return this.#pass(event.data);
      case "test:fail":
        return this.#fail(event.data);
      case "test:diagnostic":
        return event.data.file === undefined ? "" : `    ${event.data.message}\n`;
      case "test:stdout":
      case "test:stderr":
        this.#keepOutput(event.data.file, event.data.message);
        return "";
      default:
        return "";
    }
  }

  #pass(test: Ended): string {
    if (test.details.type === "suite") return "";
    // Node stands in for a file without tests by a test that is called as the file was given.
    if (test.nesting === 0 && resolve(test.name) === test.file) {
      this.emptyFiles.push(shorten(test.file));
      return "";
    }
    if (test.skip !== undefined || test.todo !== undefined) {
      this.skipped++;
      return "";
    }
    this.passed++;
    const ms = test.details.duration_ms;
    return ms < slowMs ? "" : `  ✓ ${this.#title(test)}  ${(ms / 1000).toFixed(1)} s\n`;
  }

  #fail(test: Ended): string {
    const error = "error" in test.details ? test.details.error : undefined;
    // Its subtest was counted and shown already.
    if (failureType(error) === "subtestsFailed") return "";
    this.failed++;
    const where = `${shorten(test.file)}:${test.line ?? 0}`;
    const cause = indent(inspect(error?.cause ?? error, { depth: 4 }));
    return `  ✗ ${this.#title(test)}  (${where})\n${cause}\n${this.#takeOutput(test.file)}`;
  }

  #title(test: Ended): string {
    const parents = this.#open.slice(0, test.nesting);
    return [...parents, test.name].map((name) => shorten(name)).join(" > ");
  }

  #keepOutput(file: string, text: string): void {
    let lines = this.#output.get(file);
    if (lines === undefined) this.#output.set(file, (lines = []));
    lines.push(...text.replace(/\n$/, "").split("\n"));
    if (lines.length > outputLinesMax) lines.splice(0, lines.length - outputLinesMax);
  }

  #takeOutput(file: string | undefined): string {
    const lines = this.#output.get(file ?? "");
    if (lines === undefined) return "";
    this.#output.delete(file ?? "");
    return `      printed until then (last ${outputLinesMax} lines):\n${indent(lines.join("\n"))}\n`;
  }
}

function failureType(error: Error | undefined): unknown {
  return error !== undefined && "failureType" in error ? error.failureType : undefined;
}

/** A path below the current folder becomes relative; anything else stays. */
function shorten(path = ""): string {
  return path.startsWith(process.cwd()) ? relative(process.cwd(), path) : path;
}

function indent(text: string): string {
  return text.replace(/^/gm, "      ");
}

/** The form in which `--test-reporter` expects it. */
export default async function* reporter(
  events: AsyncIterable<TestEvent>,
): AsyncGenerator<string, void> {
  const report = new Report();
  for await (const event of events) {
    const text = report.take(event);
    if (text !== "") yield text;
  }
  const path = process.env[countsVariable];
  if (path !== undefined) writeCounts(path, report);
}
