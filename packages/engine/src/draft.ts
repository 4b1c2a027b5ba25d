// The working copy of one decision: reads fall through to the state, writes are gathered and come
// out as changes. Nothing outside is touched, so a decision that throws leaves no trace.
import type { Change } from "./changes.ts";
import type { Command, Message } from "./commands.ts";
import type { Decision, Reply } from "./decision.ts";
import type { DraftHost, NewMessage } from "./draft-host.ts";
import type { Effect } from "./effects.ts";
import { Random } from "./random.ts";
import type { EventRecord, Job, RunRecord } from "./records.ts";
import { RunDraft } from "./run-draft.ts";
import type { StateView } from "./state/view.ts";

export class Draft implements DraftHost {
  readonly at: number;
  readonly random: Random;
  readonly state: StateView;
  readonly #changes: Change[] = [];
  readonly #effects: Effect[] = [];
  readonly #messages: Message[] = [];
  readonly #runs = new Map<string, RunDraft | undefined>();
  /** Leases and queue places given (or taken back) in this draft, by gate. */
  readonly #leased = new Map<string, number>();
  readonly #queued = new Map<string, number>();

  constructor(state: StateView, command: Command) {
    this.state = state;
    this.at = command.at;
    this.random = new Random(command.seed);
  }

  /** A run that is in memory; undefined when there is no such run. */
  run(runId: string): RunDraft | undefined {
    if (this.#runs.has(runId)) return this.#runs.get(runId);
    const view = this.state.run(runId);
    const run = view === undefined ? undefined : new RunDraft(this, view, false);
    this.#runs.set(runId, run);
    return run;
  }

  newRun(run: RunRecord, events: readonly EventRecord[]): RunDraft {
    const view = { run, jobs: new Map(), steps: new Map(), events, stateChars: 0 };
    const draft = new RunDraft(this, view, true);
    this.#runs.set(run.id, draft);
    return draft;
  }

  write(change: Change): void {
    this.#changes.push(change);
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  send(message: NewMessage): void {
    this.#messages.push({ ...message, at: this.at, seed: this.random.seed() });
  }

  gateRoom(gate: string): { readonly room: number; readonly queued: number } {
    const { inFlight, queued } = this.state.gate(gate);
    return {
      room: this.state.settings.callsPerAppMax - inFlight - (this.#leased.get(gate) ?? 0),
      queued: queued + (this.#queued.get(gate) ?? 0),
    };
  }

  countJob(gate: string, before: Job | undefined, after: Job | undefined): void {
    add(this.#leased, gate, holds(after, "leased") - holds(before, "leased"));
    add(this.#queued, gate, holds(after, "queued") - holds(before, "queued"));
  }

  decide(reply: Reply): Decision {
    for (const run of this.#runs.values()) run?.seal((change) => this.#changes.push(change));
    for (const [gate, leased] of this.#leased) {
      const { room, queued } = this.gateRoom(gate);
      if (queued > 0 && room > 0 && (leased < 0 || (this.#queued.get(gate) ?? 0) > 0)) {
        this.#effects.push({ type: "pull", gate });
      }
    }
    return {
      changes: this.#changes,
      effects: this.#effects,
      messages: this.#messages,
      reply,
    };
  }

  done(): Decision {
    return this.decide({ ok: true, value: { type: "done" } });
  }
}

function holds(job: Job | undefined, at: "leased" | "queued"): number {
  return job?.kind === "call" && job.state.at === at ? 1 : 0;
}

function add(counts: Map<string, number>, key: string, delta: number): void {
  counts.set(key, (counts.get(key) ?? 0) + delta);
}
