// Shows what the server tells on its live feed: on a terminal a table that is drawn again and
// again, elsewhere plain lines. It knows the feed's lines and nothing of the server.

/** One line of `GET /dev/timeline`, as far as it is shown. */
export interface FeedLine {
  readonly type: "run" | "step" | "attempt" | "waiting" | "dropped";
  readonly at: number;
  readonly runId: string;
  readonly functionSlug?: string;
  readonly status?: string;
  readonly step?: string;
  readonly op?: string;
  readonly attempts?: number;
  readonly attempt?: number;
  readonly queuedAt?: number;
  readonly startedAt?: number | null;
  readonly endedAt?: number | null;
  readonly retryAt?: number | null;
  readonly until?: number;
}

interface StepRow {
  name: string;
  state: string;
  attempts: number;
  durationMs: number | null;
}

interface RunRow {
  id: string;
  name: string;
  state: string;
  from: number;
  durationMs: number | null;
  readonly steps: Map<string, StepRow>;
}

const finalStates: ReadonlySet<string> = new Set(["completed", "failed", "cancelled", "skipped"]);

export class Timeline {
  readonly #runs = new Map<string, RunRow>();
  /** The height of the terminal; null when there is none. */
  readonly #screen: (() => number) | null;
  readonly #write: (text: string) => void;
  #drawnLines = 0;

  constructor(screen: (() => number) | null, write: (text: string) => void) {
    this.#screen = screen;
    this.#write = write;
  }

  /** Runs that ended, by their final state. */
  ended(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { state } of this.#runs.values()) {
      if (finalStates.has(state)) counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return counts;
  }

  add(line: FeedLine): void {
    if (line.type === "dropped") return;
    const run = this.#run(line);
    if (line.type === "run") this.#runChanged(run, line);
    else this.#stepChanged(run, line);
    if (this.#screen !== null) this.#draw(this.#screen());
  }

  #run(line: FeedLine): RunRow {
    let run = this.#runs.get(line.runId);
    if (run === undefined) {
      run = {
        id: line.runId,
        name: "",
        state: "queued",
        from: line.at,
        durationMs: null,
        steps: new Map(),
      };
      this.#runs.set(line.runId, run);
    }
    return run;
  }

  #runChanged(run: RunRow, line: FeedLine): void {
    const state = line.status ?? run.state;
    const isNews = state !== run.state || run.name === "";
    run.name = line.functionSlug ?? run.name;
    run.state = state;
    run.from = line.queuedAt ?? run.from;
    run.durationMs = line.endedAt ? line.endedAt - run.from : null;
    if (isNews && this.#screen === null) this.#print(run, "", state, null, run.durationMs);
  }

  #stepChanged(run: RunRow, line: FeedLine): void {
    const name = line.step ?? "";
    // The function itself fails under its own name; that is told by its run.
    const row: StepRow = run.steps.get(name) ?? { name, state: "", attempts: 1, durationMs: null };
    if (line.type === "waiting") {
      row.state = waitingStates[line.op ?? ""] ?? "waiting";
    } else if (line.type === "attempt") {
      row.attempts = (line.attempt ?? 0) + 1;
      row.state = line.retryAt ? "retrying" : "failed";
      row.durationMs = (line.endedAt ?? 0) - (line.startedAt ?? 0);
    } else {
      row.state = line.status ?? "";
      row.attempts = line.attempts ?? 1;
      row.durationMs = (line.endedAt ?? 0) - (line.startedAt ?? 0);
    }
    run.steps.set(this.#key(run, row, line), row);
    if (this.#screen === null) this.#print(run, name, row.state, row.attempts, row.durationMs);
  }

  /** Repeats of a step share a name; each finished one keeps a row of its own. */
  #key(run: RunRow, row: StepRow, line: FeedLine): string {
    if (line.type !== "step") return row.name;
    run.steps.delete(row.name);
    return `${row.name}\n${run.steps.size}`;
  }

  #print(
    run: RunRow,
    step: string,
    state: string,
    attempts: number | null,
    durationMs: number | null,
  ): void {
    const what = step === "" ? run.name : `${run.name} > ${step}`;
    const attempt = attempts === null ? "" : `attempt ${attempts}`;
    this.#write(
      `${run.id.slice(-6)}  ${what.padEnd(46)} ${state.padEnd(10)} ${attempt.padEnd(10)} ${duration(durationMs)}\n`,
    );
  }

  /** Draws the whole table a last time, below which other lines may follow. */
  finish(): void {
    if (this.#screen !== null) this.#draw(Number.POSITIVE_INFINITY);
  }

  /** Draws over what was drawn before; of a table higher than the screen its end. */
  #draw(height: number): void {
    const rows = [...this.#runs.values()].flatMap(tableRows);
    const lines = [tableHead, ...rows.slice(-Math.max(1, height - 2))];
    const up = this.#drawnLines === 0 ? "" : `\u001b[${this.#drawnLines}A\u001b[J`;
    this.#write(`${up}${lines.map((line) => `${line}\n`).join("")}`);
    this.#drawnLines = lines.length;
  }
}

const tableHead = tableRow("run", "function and step", "state".padEnd(13), "attempt", "duration");

function tableRow(run: string, name: string, state: string, attempt: string, took: string): string {
  return `${run.padEnd(8)}${name.padEnd(44)}${state}${attempt.padEnd(9)}${took}`;
}

function tableRows(run: RunRow): string[] {
  const head = tableRow(
    run.id.slice(-6),
    run.name,
    paint(run.state, 13),
    "",
    duration(run.durationMs),
  );
  const steps = [...run.steps.values()].map((step) =>
    tableRow(
      "",
      `  ${step.name}`,
      paint(step.state, 13),
      String(step.attempts),
      duration(step.durationMs),
    ),
  );
  return [head, ...steps];
}

const waitingStates: Readonly<Record<string, string>> = {
  sleep: "sleeping",
  waitForEvent: "waiting",
  invoke: "invoking",
};

const colours: Readonly<Record<string, number>> = {
  completed: 32,
  failed: 31,
  retrying: 33,
  sleeping: 36,
  waiting: 36,
  invoking: 36,
  running: 34,
};

function paint(state: string, width: number): string {
  const colour = colours[state];
  return colour === undefined
    ? state.padEnd(width)
    : `\u001b[${colour}m${state.padEnd(width)}\u001b[0m`;
}

function duration(ms: number | null): string {
  if (ms === null) return "";
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
