// Says in a sentence what is wrong with the fields of a cron line: which field, what of it, and what
// may stand there. It must not know time zones, nor when a line ticks.
import { Cron } from "croner";

interface Field {
  readonly name: string;
  readonly allowed: string;
}

const combined = "lists (1,2), ranges (1-5) and steps (*/2, 5/15)";
const second: Field = { name: "second", allowed: `0 to 59, *, ${combined}` };
const fields: readonly Field[] = [
  { name: "minute", allowed: `0 to 59, *, ${combined}` },
  { name: "hour", allowed: `0 to 23, *, ${combined}` },
  { name: "day of the month", allowed: `1 to 31, *, L for the last day, 15W, ${combined}` },
  { name: "month", allowed: `1 to 12, JAN to DEC, *, ${combined}` },
  { name: "day of the week", allowed: `0 to 7, SUN to SAT, *, 5L, 5#2, ${combined}` },
];
const nicknames = "@yearly, @monthly, @weekly, @daily, @hourly";

/** How the library reads lines. Sloppy: `5/15` steps from 5 on, as the published server reads it. */
export const cronReading = { mode: "5-or-6-parts", sloppyRanges: true } as const;

/** The end of a sentence about the fields of a line that cannot be read; null: they can. */
export function fieldProblem(line: string): string | null {
  if (isReadable(line)) return null;
  if (line.startsWith("@"))
    return `"${line}" is no name of a schedule; use five fields, or one of ${nicknames}`;
  const texts = line.split(/\s+/);
  const all = texts.length === 6 ? [second, ...fields] : fields;
  for (const [n, { name, allowed }] of all.entries()) {
    const alone = (text: string) => texts.map((_, other) => (other === n ? text : "*")).join(" ");
    const text = texts[n] ?? "";
    if (isReadable(alone(text))) continue;
    const part = text.split(",").find((each) => each !== "" && !isReadable(alone(each))) ?? text;
    return `its ${name} has "${part}"; allowed are ${allowed}`;
  }
  return `its fields do not go together: "${line}"`;
}

function isReadable(line: string): boolean {
  try {
    return new Cron(line, cronReading).getPattern() !== undefined;
  } catch {
    return false;
  }
}
