// What happened in a simulation, line by line. Two simulations of one scenario write the same
// bytes; a digest of them is kept even when the lines are not.
import type { Log } from "@pawl/server/loop/log";
import type { Agenda } from "./agenda.ts";

/** Complaints of the server that no fault of the outside world may bring about. */
const forbidden: ReadonlySet<string> = new Set([
  "a command could not be decided",
  "the hot state is made anew",
  "an effect could not be performed",
  "a call could not be built",
  "a timer could not be taken",
  "an answer could not be taken",
]);

export class SimulationLog {
  readonly lines: string[] = [];
  readonly #agenda: Agenda;
  readonly #keep: boolean;
  #digest = 0x811c9dc5;

  /** `keep`: the lines themselves are wanted. */
  constructor(agenda: Agenda, keep: boolean) {
    this.#agenda = agenda;
    this.#keep = keep;
  }

  /** A number that differs, all but certainly, when any line does. */
  get digest(): number {
    return this.#digest >>> 0;
  }

  write(text: string): void {
    const line = `${this.#agenda.elapsedMs} ${text}`;
    let digest = this.#digest;
    for (let index = 0; index < line.length; index++) {
      digest = Math.imul(digest ^ line.charCodeAt(index), 0x01000193);
    }
    this.#digest = Math.imul(digest ^ 10, 0x01000193);
    if (this.#keep) this.lines.push(line);
  }

  /** The log of one server process. `onFault` hears what must not happen whatever goes wrong. */
  forServer(name: string, onFault: (message: string) => void): Log {
    const write = (level: string) => (fields: object, message: string) => {
      const detail =
        "err" in fields && fields.err instanceof Error ? `: ${fields.err.message}` : "";
      this.write(`${name} ${level} ${message}${detail}`);
      if (forbidden.has(message) && !isStopping(fields)) onFault(`${message}${detail}`);
    };
    const quiet = (): void => undefined;
    return { debug: quiet, info: quiet, warn: write("warn"), error: write("error") };
  }
}

/** Work that a stopping server refuses is found again by the next one. */
function isStopping(fields: object): boolean {
  if (!("err" in fields) || !(fields.err instanceof Error) || !("code" in fields.err)) return false;
  return fields.err.code !== "engine_fault";
}
