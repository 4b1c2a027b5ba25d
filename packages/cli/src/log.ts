// The log of a server on the command line: readable lines for people, JSON for machines.
import type { Log } from "@pawl/server/loop/log";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const ranks: Readonly<Record<LogLevel, number>> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
  silent: 4,
};

const colours: Readonly<Record<Exclude<LogLevel, "silent">, string>> = {
  debug: "\u001b[2m",
  info: "\u001b[36m",
  warn: "\u001b[33m",
  error: "\u001b[31m",
};

/** One JSON object a line on standard output, with `level`, `time` and `msg`. */
export async function jsonLog(level: LogLevel): Promise<Log> {
  const { pino, stdTimeFunctions } = await import("pino");
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Named, because a logger of pino's own type passes for a promise: it has every name as a level.
  const log: Log = pino(options, pino.destination({ fd: 1, sync: true }));
  return log;
}

/** `22:49:32 info  message key=value`, coloured when asked for. */
export function lineLog(
  level: LogLevel,
  coloured: boolean,
  now: () => number,
  print: (line: string) => void,
): Log {
  const at = (own: Exclude<LogLevel, "silent">) => (fields: object, message: string) => {
    if (ranks[own] < ranks[level]) return;
    const time = new Date(now()).toISOString().slice(11, 19);
    const word = coloured ? `${colours[own]}${own.padEnd(5)}\u001b[0m` : own.padEnd(5);
    print(`${time} ${word} ${message}${suffix(fields, message)}`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Fields that the message does not say already. */
function suffix(fields: object, message: string): string {
  let text = "";
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    const shown =
      value instanceof Error
        ? errorText(value)
        : typeof value === "string"
          ? value
          : JSON.stringify(value);
    if (!message.includes(shown)) text += ` ${key}=${shown}`;
  }
  return text;
}

function errorText(error: Error): string {
  return error.stack === undefined ? error.message : `\n${error.stack}`;
}
