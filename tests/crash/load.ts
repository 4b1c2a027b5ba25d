// Sends events in waves, each again and again until it is acknowledged, and sometimes once
// more after that. It must not know who is killed meanwhile.
import assert from "node:assert/strict";
import { pause } from "../support/poll.ts";
import type { Dice } from "./random.ts";

const apps = ["pawl", "inngest"] as const;
type AppName = (typeof apps)[number];

/** An event that the server has acknowledged. */
export interface Accepted {
  readonly key: string;
  /** Its tries were marked by a seed, and not by an id of the event. */
  readonly seeded: boolean;
  /** The server's ids for it: one for each time it was acknowledged. */
  readonly eventIds: readonly string[];
}

interface Parts {
  readonly url: string;
  readonly dice: Dice;
}

interface Plan {
  readonly app: AppName;
  readonly key: string;
  readonly afterMs: number;
  /** Its tries are marked by a seed; else by an id of the event. */
  readonly seeded: boolean;
  /** It is sent once more after it was accepted. */
  readonly repeated: boolean;
  /** From its acceptance until the event that its run waits for is sent. */
  readonly goMs: number;
}

/** Longest time from an event to the one that its run waits for. */
const goMsMax = 2_500;
const tryMs = 3_000;
const betweenTriesMs = 40;
const repeatedShare = 0.2;

export class Load {
  readonly #parts: Parts;
  readonly #under: Promise<void>[] = [];
  readonly #accepted: Accepted[] = [];
  #number = 0;
  /** Tries that brought no acknowledgement. */
  failedTries = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Sends so many events, at random moments within that time; does not wait for them. */
  wave(count: number, withinMs: number): void {
    const { dice } = this.#parts;
    for (let sent = 0; sent < count; sent++) {
      const number = ++this.#number;
      const app = apps[number % apps.length] ?? "pawl";
      const plan: Plan = {
        app,
        key: `${app}-${number}`,
        afterMs: dice.between(0, withinMs),
        seeded: dice.chance(0.5),
        repeated: dice.chance(repeatedShare),
        goMs: dice.between(0, goMsMax),
      };
      this.#under.push(this.#one(plan));
    }
  }

  /** Resolves with all accepted events once every one that was sent is accepted. */
  async settled(): Promise<readonly Accepted[]> {
    await Promise.all(this.#under);
    return this.#accepted;
  }

  async #one(plan: Plan): Promise<void> {
    await pause(plan.afterMs);
    const { app, key, seeded } = plan;
    const event = { name: `crash/${app}`, data: { key } };
    const body = JSON.stringify(seeded ? event : { ...event, id: key });
    const headers = seeded ? { "x-inngest-event-id-seed": seedOf(key) } : {};
    const eventIds = [await this.#send(body, headers)];
    if (plan.repeated) eventIds.push(await this.#send(body, headers));
    this.#accepted.push({ key, seeded, eventIds });
    if (app !== "pawl") return;
    await pause(plan.goMs);
    const go = { name: "crash/go", data: { key }, id: `go-${key}` };
    await this.#send(JSON.stringify(go), {});
  }

  async #send(body: string, headers: Record<string, string>): Promise<string> {
    for (;;) {
      try {
        const signal = AbortSignal.timeout(tryMs);
        const response = await fetch(`${this.#parts.url}/e/crash`, {
          method: "POST",
          body,
          headers,
          signal,
        });
        const answer: unknown = await response.json();
        if (response.status === 200) return idIn(answer);
        assert.ok(response.status >= 500, `an event was refused: ${JSON.stringify(answer)}`);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
      }
      this.failedTries++;
      await pause(betweenTriesMs);
    }
  }
}

/** `<ms>,<base64 of 10 bytes>`, protocol.md 4; the same for each try of an event. */
function seedOf(key: string): string {
  const bytes = Buffer.alloc(10);
  bytes.write(key.slice(-10));
  return `${Date.now() - (Date.now() % 86_400_000)},${bytes.toString("base64")}`;
}

function idIn(answer: unknown): string {
  assert.ok(typeof answer === "object" && answer !== null && "ids" in answer);
  const ids: unknown = answer.ids;
  assert.ok(Array.isArray(ids) && typeof ids[0] === "string", "an acknowledgement has one id");
  return ids[0];
}
