// The one error of the command line: what the user can put right. Faults of the server and of
// stores keep their own errors.

export type CliErrorCode =
  /** The command line cannot be understood: unknown command or flag, missing or surplus argument. */
  | "usage_invalid"
  /** Input that a command reads (an argument, a file, standard input) is not what it must be. */
  | "input_invalid"
  /** No server answers at the address. */
  | "server_unreachable"
  /** The server answered with a refusal. */
  | "server_refused"
  /** The server or store has no such run. */
  | "run_not_found";

/** One sentence about what is wrong and one about what to do. Branch on `code`, not on `message`. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
