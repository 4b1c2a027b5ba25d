// Where the SDK and the functions write their log lines.

/** What a logger must be able to do; `console`, pino, winston and most others can. */
export interface Logger {
  debug(...parts: readonly unknown[]): void;
  info(...parts: readonly unknown[]): void;
  warn(...parts: readonly unknown[]): void;
  error(...parts: readonly unknown[]): void;
}

/** Least important lines that are still written. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

/** Reads `PAWL_LOG_LEVEL`; anything unknown is `info`. */
export function readLogLevel(text: string | undefined): LogLevel {
  const wanted = text?.trim().toLowerCase();
  return levels.find((level) => level === wanted) ?? "info";
}

/** Passes lines on while `open()` says so. */
export function gatedLogger(logger: Logger, open: (level: keyof Logger) => boolean): Logger {
  const write =
    (level: keyof Logger) =>
    (...parts: readonly unknown[]) => {
      if (open(level)) logger[level](...parts);
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** Writes to the console, from the given level up. */
export function consoleLogger(least: LogLevel): Logger {
  return gatedLogger(console, (level) => levels.indexOf(level) >= levels.indexOf(least));
}
