// The one place that answers questions about runs, traces, events, functions and apps. Every API
// (REST, GraphQL, MCP) asks here and only writes the answer in its own way. It translates and
// decides nothing; it must not know HTTP.
import type { Explanation } from "@pawl/engine/explain/explanation";
import type { MetadataRecord } from "@pawl/engine/metadata-records";
import type { StoredRun } from "@pawl/engine/needs";
import type {
  AppRecord,
  AttemptRecord,
  EventRecord,
  FunctionRecord,
  RunRecord,
} from "@pawl/engine/records";
import { runtimeId, runtimePrefix } from "@pawl/engine/schedule/runtime";
import type { RuntimeSchedule } from "@pawl/engine/schedule-records";
import { writeEvent } from "@pawl/protocol/event-wire";
import type { JsonText } from "@pawl/protocol/json-text";
import type { RunFilter } from "@pawl/store/store";
import { loadExplanation } from "./explain-run.ts";
import { placeOfOutputId } from "./output-id.ts";
import { attemptOutput, runOutput, stepOutput, type SpanOutput } from "./outputs.ts";
import { checkEventCursor, cursorAt, cursorOf, positionOf } from "./run-cursor.ts";
import { checkSearch } from "./search.ts";
import type { Sources } from "./sources.ts";
import { withMetadata } from "./span-metadata.ts";
import { buildTrace, type Span } from "./trace.ts";
import { hangUserSpans } from "./user-trace.ts";

/** A run and what is known of its function now; null when that was removed. */
export interface ShownRun {
  readonly run: RunRecord;
  readonly fn: FunctionRecord | null;
  readonly app: AppRecord | null;
}

/** A run with its trace, without spans of user code, and what its spans came to. */
export interface EndedRun extends ShownRun {
  readonly root: Span;
  /** By the `outputId` of a span. */
  readonly outputOf: (outputId: string) => SpanOutput | null;
}

export interface ShownFunction {
  readonly fn: FunctionRecord;
  readonly app: AppRecord;
}

export interface RunPage {
  readonly runs: readonly ShownRun[];
  /** One for each run: the place behind it. */
  readonly cursors: readonly string[];
  readonly hasMore: boolean;
}

export interface RunPageQuery {
  readonly filter: RunFilter;
  readonly cursor: string | null;
  readonly oldestFirst: boolean;
  readonly limit: number;
}

/** A page of a search: what was found so far, and how far it looked. */
export interface Found<T> {
  readonly found: readonly T[];
  /** Records that were looked at for this page. */
  readonly scanned: number;
  /** Goes on behind the last record that was looked at; null: there are no more. */
  readonly cursor: string | null;
}

export interface SchedulePage {
  readonly schedules: readonly RuntimeSchedule[];
  readonly hasMore: boolean;
}

export interface EventQuery {
  readonly name: string | null;
  readonly receivedFrom: number | null;
  readonly receivedUntil: number | null;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface SearchSettings {
  /** Records that one page of a search looks at, at most. */
  readonly scanMax: number;
  /** What `now()` is in expressions. */
  readonly now: () => number;
}

export class Queries {
  readonly #sources: Sources;
  readonly #search: SearchSettings;

  constructor(sources: Sources, search: SearchSettings) {
    this.#sources = sources;
    this.#search = search;
  }

  /** In order of registration. */
  apps(): readonly AppRecord[] {
    return [...this.#sources.hot.apps()];
  }

  /** By id or by name. */
  app(idOrName: string): AppRecord | null {
    const { hot } = this.#sources;
    return hot.app(idOrName) ?? this.apps().find((app) => app.name === idOrName) ?? null;
  }

  /** Of all apps, in order of registration. */
  functions(): readonly ShownFunction[] {
    return this.apps().flatMap((app) => app.functions.map((fn) => ({ fn, app })));
  }

  /** By id or by slug. */
  fn(idOrSlug: string): ShownFunction | null {
    const { hot } = this.#sources;
    const fn = hot.functionById(idOrSlug) ?? hot.functionBySlug(idOrSlug);
    const app = fn === undefined ? undefined : hot.app(fn.appId);
    return fn === undefined || app === undefined ? null : { fn, app };
  }

  /** Throws `parameter_invalid` for a cursor that is not of this list. */
  async runs(query: RunPageQuery): Promise<RunPage> {
    const { filter, cursor, oldestFirst, limit } = query;
    const found = await this.#sources.store.list<"runs">({
      type: "runs",
      filter,
      behind: cursor === null ? null : positionOf(cursor, filter.by),
      oldestFirst,
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    return {
      runs: page.map((run) => this.#shown(run)),
      cursors: page.map((run) => cursorOf(run, filter.by)),
      hasMore: found.length > limit,
    };
  }

  /** The runs of a list for which a CEL expression is true. Throws `expression_invalid` too. */
  async searchRuns(query: RunPageQuery, expression: string): Promise<Found<ShownRun>> {
    checkSearch(expression, "runs");
    const { filter, cursor, oldestFirst, limit } = query;
    const { found, scanned, next } = await this.#sources.store.list<"searchRuns">({
      type: "searchRuns",
      filter,
      expression,
      at: this.#search.now(),
      behind: cursor === null ? null : positionOf(cursor, filter.by),
      oldestFirst,
      limit,
      scanMax: this.#search.scanMax,
    });
    return {
      found: found.map((run) => this.#shown(run)),
      scanned,
      cursor: next === null ? null : cursorAt(next, filter.by),
    };
  }

  /** The events of a list for which a CEL expression is true. Throws `expression_invalid`. */
  async searchEvents(query: EventQuery, expression: string): Promise<Found<EventRecord>> {
    checkSearch(expression, "events");
    checkEventCursor(query.cursor);
    const { cursor: before, ...rest } = query;
    const { found, scanned, next } = await this.#sources.store.list<"searchEvents">({
      type: "searchEvents",
      ...rest,
      expression,
      at: this.#search.now(),
      before,
      scanMax: this.#search.scanMax,
    });
    return { found, scanned, cursor: next };
  }

  async countRuns(filter: RunFilter): Promise<number> {
    return this.#sources.store.list<"runCount">({ type: "runCount", filter });
  }

  /** A schedule made at runtime, by the id that people chose. */
  async schedule(name: string): Promise<RuntimeSchedule | null> {
    const scheduleId = runtimeId(name);
    const [found] = await this.#sources.store.load([{ kind: "schedule", scheduleId }]);
    const schedule = found !== undefined && "schedule" in found ? found.schedule : null;
    return schedule?.kind === "runtime" ? schedule : null;
  }

  /** Schedules made at runtime, by id; behind the one with the id `after`. */
  async schedules(after: string | null, limit: number): Promise<SchedulePage> {
    const found = await this.#sources.store.list<"schedules">({
      type: "schedules",
      prefix: runtimePrefix,
      after: after === null ? null : runtimeId(after),
      limit: limit + 1,
    });
    const schedules = found.filter((schedule) => schedule.kind === "runtime");
    return { schedules: schedules.slice(0, limit), hasMore: found.length > limit };
  }

  async run(runId: string): Promise<ShownRun | null> {
    const stored = await this.#stored(runId);
    return stored === null ? null : this.#shown(stored.run);
  }

  /** `{"data": …}` or `{"error": …}`; null while the run has not ended. */
  async output(run: RunRecord): Promise<JsonText | null> {
    if (run.endedAt === null) return null;
    return this.#sources.store.list<"output">({ type: "output", runId: run.id });
  }

  /** What the run still has to do, and the steps and events it has. */
  async state(runId: string): Promise<StoredRun | null> {
    return this.#stored(runId);
  }

  /** The root span, spans of user code included; null when there is no such run. */
  async trace(runId: string): Promise<Span | null> {
    const stored = await this.#stored(runId);
    if (stored === null) return null;
    const { run, steps, jobs } = stored;
    const [attempts, spans, metadata] = await Promise.all([
      this.#sources.store.list<"attempts">({ type: "attempts", runId }),
      this.#sources.store.list<"userSpans">({ type: "userSpans", runId }),
      this.#metadata(runId),
    ]);
    const functionName = this.#shown(run).fn?.name ?? run.functionId;
    const trace = buildTrace({ run, functionName, steps, jobs, attempts });
    return withMetadata(hangUserSpans(trace, spans), metadata);
  }

  /** Why a run is not running, at `at`; null when there is no such run. */
  async explain(runId: string, at: number): Promise<Explanation | null> {
    return loadExplanation(this.#sources, runId, at);
  }

  /** A run that has ended, all loaded at once; null when there is none. */
  async endedRun(runId: string): Promise<EndedRun | null> {
    const stored = await this.#stored(runId);
    if (stored === null || stored.run.endedAt === null) return null;
    const { run, steps, jobs } = stored;
    const [attempts, output, metadata] = await Promise.all([
      this.#sources.store.list<"attempts">({ type: "attempts", runId }),
      this.output(run),
      this.#metadata(runId),
    ]);
    const shown = this.#shown(run);
    const functionName = shown.fn?.name ?? run.functionId;
    return {
      ...shown,
      root: withMetadata(buildTrace({ run, functionName, steps, jobs, attempts }), metadata),
      outputOf: (outputId) => outputAt(outputId, stored, attempts, output),
    };
  }

  /** Null when nothing is under the id. */
  async spanOutput(outputId: string): Promise<SpanOutput | null> {
    const place = placeOfOutputId(outputId);
    if (place === null) return null;
    return (await this.spanOutputs(place.runId))(outputId);
  }

  /** Looks up what spans of one run were given and came to, all loaded at once. */
  async spanOutputs(runId: string): Promise<(outputId: string) => SpanOutput | null> {
    const stored = await this.#stored(runId);
    if (stored === null) return () => null;
    const [attempts, output] = await Promise.all([
      this.#sources.store.list<"attempts">({ type: "attempts", runId }),
      this.output(stored.run),
    ]);
    return (outputId) => outputAt(outputId, stored, attempts, output);
  }

  /** The events that started a run, as far as they are kept; null when there is no such run. */
  async eventsOfRun(
    runId: string,
  ): Promise<{ readonly run: RunRecord; readonly events: readonly EventRecord[] } | null> {
    return this.#stored(runId);
  }

  /** Throws `parameter_invalid` for a cursor that is not of this list. */
  async events(query: EventQuery): Promise<readonly EventRecord[]> {
    checkEventCursor(query.cursor);
    const { cursor: before, ...rest } = query;
    return this.#sources.store.list<"events">({ type: "events", ...rest, before });
  }

  async event(eventId: string): Promise<EventRecord | null> {
    return this.#sources.store.list<"event">({ type: "event", eventId });
  }

  /** Newest first. */
  async runsOfEvent(eventId: string, limit: number): Promise<readonly ShownRun[]> {
    const runs = await this.#sources.store.list<"runsOfEvent">({
      type: "runsOfEvent",
      eventId,
      limit,
    });
    return runs.map((run) => this.#shown(run));
  }

  async #stored(runId: string): Promise<StoredRun | null> {
    const [found] = await this.#sources.store.load([{ kind: "run", runId }]);
    return found !== undefined && "run" in found ? found.run : null;
  }

  async #metadata(runId: string): Promise<readonly MetadataRecord[]> {
    const [found] = await this.#sources.store.load([{ kind: "metadata", runId }]);
    return found !== undefined && "metadata" in found ? found.metadata : [];
  }

  #shown(run: RunRecord): ShownRun {
    const { hot } = this.#sources;
    return {
      run,
      fn: hot.functionById(run.functionId) ?? null,
      app: hot.app(run.appId) ?? null,
    };
  }
}

function outputAt(
  outputId: string,
  { run, steps, events }: StoredRun,
  attempts: readonly AttemptRecord[],
  output: JsonText | null,
): SpanOutput | null {
  const place = placeOfOutputId(outputId);
  if (place?.runId !== run.id) return null;
  switch (place.kind) {
    case "attempt": {
      const { stepId, attempt } = place;
      const found = attempts.find((one) => one.stepId === stepId && one.attempt === attempt);
      return found === undefined ? null : attemptOutput(found.error);
    }
    case "step": {
      const step = steps.find(({ id }) => id === place.stepId);
      return step === undefined ? null : stepOutput(step);
    }
    case "run": {
      const [event] = events;
      return runOutput(output, event === undefined ? null : writeEvent(event));
    }
  }
}
