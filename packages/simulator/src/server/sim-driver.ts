// The driver of one simulated process: carries calls to the simulated apps over a network that
// loses, delays and repeats. It must not know what a call is about.
import type { Answer } from "@pawl/protocol/answer";
import type { Call, Carriage, Driver } from "@pawl/server/driver/driver";
import { callFailure } from "@pawl/server/driver/failure";
import { never, type Agenda } from "../agenda.ts";
import type { Outcome } from "../app/host.ts";
import type { Dice } from "../dice.ts";
import type { Faults } from "../faults.ts";

export interface SimDriverParts {
  readonly agenda: Agenda;
  readonly faults: Faults;
  readonly dice: Dice;
  readonly name: string;
  readonly isDead: () => boolean;
  readonly crash: () => void;
  /** Hands a call to the app; resolves when the app is done with it. */
  readonly receive: (call: Call) => Promise<Outcome>;
  /** A call leaves the process. */
  readonly sent: (call: Call) => void;
  /** An answer reaches whichever server is there by then, by another way than its connection. */
  readonly strayAnswer: (call: Call, answer: Answer) => void;
}

/** A call that was sent and has neither been answered nor given up. */
interface Underway {
  readonly call: Call;
  readonly settle: (answer: Answer) => void;
}

export class SimDriver implements Driver {
  readonly schemes = ["sim:", "gateway:"];
  readonly #parts: SimDriverParts;
  readonly #underway = new Set<Underway>();

  constructor(parts: SimDriverParts) {
    this.#parts = parts;
  }

  /** Calls under way. */
  *calls(): Generator<Call> {
    for (const { call } of this.#underway) yield call;
  }

  carry(call: Call): Carriage {
    const { agenda, faults, name, isDead, crash, sent } = this.#parts;
    if (isDead()) return { answer: never, abort: () => undefined };
    if (faults.strikes("crashWhileSending", name)) {
      crash();
      return { answer: never, abort: () => undefined };
    }
    sent(call);
    const { promise: answer, resolve: settle } = Promise.withResolvers<Answer>();
    const underway: Underway = { call, settle };
    this.#underway.add(underway);
    agenda.after(call.timeoutMs, () =>
      this.#finish(underway, callFailure("http_timeout", "no answer in time")),
    );
    this.#send(underway);
    return { answer, abort: () => this.#underway.delete(underway) };
  }

  async close(): Promise<void> {
    this.#underway.clear();
  }

  #send(underway: Underway): void {
    const { agenda, faults, dice } = this.#parts;
    const { call } = underway;
    if (faults.strikes("callLost", call.requestId)) {
      agenda.after(dice.below(50), () =>
        this.#finish(underway, callFailure("http_unreachable", "the call was lost")),
      );
      return;
    }
    agenda.after(dice.below(10), () => void this.#deliver(underway));
    if (faults.strikes("callRepeated", call.requestId)) {
      agenda.after(faults.amount("callRepeated", 0, 3_000), () => void this.#deliver(underway));
    }
  }

  async #deliver(underway: Underway): Promise<void> {
    const { agenda, faults, dice, strayAnswer } = this.#parts;
    const { call } = underway;
    const outcome = await this.#parts.receive(call);
    if (outcome === "hung") return;
    if (outcome === "crashed" || faults.strikes("answerLost", call.requestId)) {
      this.#finish(underway, callFailure("http_body_incomplete", "the connection ended"));
      return;
    }
    const slow = faults.strikes("answerSlow", call.requestId)
      ? faults.amount("answerSlow", 50, 8_000)
      : 0;
    await agenda.sleep(dice.below(10) + slow);
    if (faults.strikes("answerLate", call.requestId)) {
      this.#finish(underway, callFailure("http_timeout", "no answer in time"));
      agenda.after(faults.amount("answerLate", 0, 20_000), () => strayAnswer(call, outcome));
      return;
    }
    this.#finish(underway, outcome);
    if (faults.strikes("answerRepeated", call.requestId)) {
      agenda.after(faults.amount("answerRepeated", 0, 5_000), () => strayAnswer(call, outcome));
    }
  }

  #finish(underway: Underway, answer: Answer): void {
    if (!this.#underway.delete(underway) || this.#parts.isDead()) return;
    underway.settle(answer);
  }
}
