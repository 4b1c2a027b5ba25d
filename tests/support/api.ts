// The server's HTTP API as tests use it: send events, look at runs. Nothing of any SDK.
import { eventually, type PollOptions } from "./poll.ts";

/** One run as `GET /v1/runs/{id}` shows it, as far as tests look. */
export interface RunInfo {
  readonly run_id: string;
  readonly function_id: string;
  readonly event_id: string;
  readonly status: "Running" | "Completed" | "Failed" | "Cancelled" | "Skipped";
  readonly output: unknown;
  readonly ended_at: string | null;
  readonly end_reason: string | null;
}

/** A function that a run has deferred, as `GET /v1/runs/{id}/defers` shows it. */
export interface DeferInfo {
  readonly id: string;
  readonly function: string;
  readonly status: "scheduled" | "sent" | "aborted" | "rejected";
  readonly reason: string | null;
  readonly event_id: string | null;
  readonly run_id: string | null;
}

/** One event as `GET /v1/events` shows it. */
export interface EventInfo {
  readonly internal_id: string;
  readonly id: string;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly ts: number;
}

/** An event to send. */
export interface NewEvent {
  readonly name: string;
  readonly meta?: object;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly id?: string;
  readonly ts?: number;
}

/** An answer, its body parsed when it is JSON. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export class Api {
  readonly url: string;
  readonly #eventKey: string;
  readonly #signingKey: string | null;

  constructor(url: string, eventKey = "test", signingKey: string | null = null) {
    this.url = url;
    this.#eventKey = eventKey;
    this.#signingKey = signingKey;
  }

  /** Any request; `body` is sent as JSON unless it is text already. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    const answer = await fetch(new URL(path, this.url), {
      method,
      signal: AbortSignal.timeout(30_000),
      headers: {
        ...(this.#signingKey === null ? null : { authorization: `Bearer ${this.#signingKey}` }),
        ...(body === undefined ? null : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? null : { body: asText(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: parsed(text) };
  }

  /** Sends events and returns their ids. Rejects unless all were accepted. */
  async send(
    events: NewEvent | readonly NewEvent[],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string[]> {
    const { status, body } = await this.request("POST", `/e/${this.#eventKey}`, events, headers);
    if (status !== 200)
      throw new Error(`events refused: ${String(status)} ${JSON.stringify(body)}`);
    return (body as { ids: string[] }).ids; // proof: the documented answer to accepted events
  }

  /** Sends one event and returns its id. */
  async sendOne(event: NewEvent): Promise<string> {
    const [id = ""] = await this.send(event);
    return id;
  }

  /** The runs that an event started. */
  async runsOf(eventId: string): Promise<readonly RunInfo[]> {
    return (await this.#data(`/v1/events/${eventId}/runs`)) as readonly RunInfo[]; // proof: the documented answer
  }

  async run(runId: string): Promise<RunInfo> {
    return (await this.#data(`/v1/runs/${runId}`)) as RunInfo; // proof: the documented answer
  }

  /** What the run has deferred. */
  async defers(runId: string): Promise<readonly DeferInfo[]> {
    return (await this.#data(`/v1/runs/${runId}/defers`)) as readonly DeferInfo[]; // proof: the documented answer
  }

  /** Events of that name, newest first. */
  async events(name: string, limit = 100): Promise<readonly EventInfo[]> {
    const query = new URLSearchParams({ name, limit: String(limit) });
    return (await this.#data(`/v1/events?${query.toString()}`)) as readonly EventInfo[]; // proof: the documented answer
  }

  /** Cancels a run. */
  cancel(runId: string): Promise<ApiAnswer> {
    return this.request("DELETE", `/v1/runs/${runId}`);
  }

  /** Waits until the event has started `count` runs and all of its runs have ended. */
  async ended(eventId: string, count = 1, options: PollOptions = {}): Promise<readonly RunInfo[]> {
    let last: readonly RunInfo[] = [];
    try {
      return await eventually(
        `${String(count)} runs of event ${eventId} ended`,
        async () => {
          last = await this.runsOf(eventId);
          return last.length >= count && last.every(({ ended_at }) => ended_at !== null) && last;
        },
        { everyMs: 150, ...options },
      );
    } catch (error) {
      throw new Error(`${String(error)}; runs: ${JSON.stringify(last)}`, { cause: error });
    }
  }

  /**
   * Sends the same events again and again until the one run of `eventId` has ended: for waits, of
   * which nobody tells when they have begun.
   */
  async endedBySending(eventId: string, events: readonly NewEvent[]): Promise<RunInfo> {
    const sending = setInterval(() => {
      // A send that fails shows in the run that does not end.
      void this.send(events).catch(() => {});
    }, 200);
    try {
      const [run] = await this.ended(eventId);
      if (run === undefined) throw new Error("no run");
      return run;
    } finally {
      clearInterval(sending);
    }
  }

  /** Sends one event and waits for the end of the one run that it starts. */
  async runOf(event: NewEvent, options: PollOptions = {}): Promise<RunInfo> {
    const [run] = await this.ended(await this.sendOne(event), 1, options);
    if (run === undefined) throw new Error("no run");
    return run;
  }

  async #data(path: string): Promise<unknown> {
    const { status, body } = await this.request("GET", path);
    if (status !== 200) throw new Error(`GET ${path}: ${String(status)} ${JSON.stringify(body)}`);
    return (body as { data: unknown }).data; // proof: the documented envelope
  }
}

function asText(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
