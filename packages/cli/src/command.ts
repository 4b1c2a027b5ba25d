// What a command of the CLI is: data about it, and a function from its arguments to an exit code.

/** A flag as the command line knows it; values are read by the command. */
export interface FlagSpec {
  /** `flag` takes no value, `list` may be repeated. */
  readonly kind: "flag" | "value" | "list";
  readonly short: string | null;
  readonly placeholder: string;
  readonly help: string;
  /** The environment variable that stands for it; null: there is none. */
  readonly environment: string | null;
  /** Shown in help; null: nothing is worth showing. */
  readonly fallback: string | null;
}

/** Flags by name without dashes: text, a list of texts, or true. Flags not given are missing. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[]>>;

export interface Arguments {
  readonly flags: FlagValues;
  readonly positionals: readonly string[];
}

/** What a command may use of the process. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Writes one line to standard output. */
  readonly print: (line: string) => void;
  /** Writes one line to standard error. */
  readonly complain: (line: string) => void;
  /** Whether standard output is a terminal for people. */
  readonly isInteractive: boolean;
  /** Asks a person and resolves with the line that comes back. */
  readonly ask: (question: string) => Promise<string>;
  /** The whole of standard input. */
  readonly readInput: () => Promise<string>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The arguments behind the name, as help shows them. */
  readonly usage: string;
  /** Most arguments that are no flags. */
  readonly positionalsMax: number;
  readonly flags: Readonly<Record<string, FlagSpec>>;
  /** Resolves with the exit code. Expected failures are rejections with documented errors. */
  readonly run: (args: Arguments, terminal: Terminal) => Promise<number>;
}
