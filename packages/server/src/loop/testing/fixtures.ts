// Commands and a scripted driver for tests of the loop.
import { toJsonText } from "@pawl/protocol/json-text";
import type { Answer } from "@pawl/protocol/answer";
import type { EventRecord, Trigger } from "@pawl/engine/records";
import type { Opcode } from "@pawl/protocol/opcode";
import type { Call, Carriage, Driver } from "../../driver/driver.ts";
import type { CommandInput } from "../batch.ts";
import type { SeedSource } from "../seeds.ts";

/** Seeds that count, so that each test run is the same. */
export function countingSeeds(): SeedSource {
  let count = 0;
  return () => [++count, 2, 3, 4];
}

/** Registers an app whose functions start on the event named like them. */
export function syncApp(
  slugs: readonly string[],
  more: { retries?: number; sdk?: string; config?: object; triggers?: readonly Trigger[] } = {},
): CommandInput {
  return {
    type: "app.synced",
    app: {
      id: "app-1",
      name: "app",
      url: "test://app/api",
      sdk: more.sdk ?? "js:v4.24.0",
      framework: null,
      platform: null,
      appVersion: null,
      checksum: `${slugs.join()} ${JSON.stringify([more.config, more.triggers])}`,
    },
    functions: slugs.map((slug) => {
      const triggers = more.triggers ?? [{ kind: "event" as const, event: slug, expression: null }];
      const url = `test://app/api?fnId=${slug}&stepId=step`;
      return {
        id: `id-${slug}`,
        slug,
        name: slug,
        url,
        triggers,
        retries: more.retries ?? 3,
        config: toJsonText(more.config ?? {}),
      };
    }),
  };
}

let events = 0;

export function event(name: string, data: unknown = {}): EventRecord {
  events++;
  return {
    id: `01J0000000${String(events).padStart(16, "0")}`,
    name,
    externalId: null,
    ts: 0,
    receivedAt: 0,
    data: toJsonText(data),
    user: null,
    version: null,
    meta: null,
  };
}

export function sendEvents(...names: string[]): CommandInput {
  return { type: "events.received", events: names.map((name) => event(name)), resendable: false };
}

/** The function returned. */
export function returned(value: unknown): Answer {
  return { kind: "completed", memo: toJsonText({ data: value }), requestVersion: 2 };
}

/** The app answered with opcodes. */
export function answered(...opcodes: Opcode[]): Answer {
  return { kind: "opcodes", opcodes, retryAfterMs: null, requestVersion: 2 };
}

function face(id: string) {
  return {
    id,
    displayName: id,
    userId: id,
    userIndex: 0,
    race: false,
    stepType: null,
    opts: null,
    retries: null,
  };
}

export function sleeps(id: string, forMs: number): Opcode {
  return { ...face(id), op: "Sleep", until: { forMs } };
}

export function waitsFor(id: string, name: string, race = false, forMs = 3_600_000): Opcode {
  const timeout = { forMs };
  return {
    ...face(id),
    race,
    op: "WaitForEvent",
    event: name,
    expression: null,
    timeout,
    lookback: null,
  };
}

/** A driver for `test:` URLs; answers come from the test, at once or when it says so. */
export class ScriptedDriver implements Driver {
  readonly schemes = ["test:"];
  readonly calls: Call[] = [];
  readonly aborted: Call[] = [];
  closed = false;
  /** Most calls that were under way at once. */
  underWayMax = 0;
  #underWay = 0;
  readonly #script: (call: Call) => Answer | Promise<Answer>;

  constructor(script: (call: Call) => Answer | Promise<Answer>) {
    this.#script = script;
  }

  carry(call: Call): Carriage {
    this.calls.push(call);
    this.underWayMax = Math.max(this.underWayMax, ++this.#underWay);
    const answer = Promise.resolve(this.#script(call)).finally(() => this.#underWay--);
    return { answer, abort: () => this.aborted.push(call) };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
