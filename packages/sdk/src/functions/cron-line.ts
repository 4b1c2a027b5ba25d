// What is wrong with a cron line, as far as it can be told without a calendar: the server reads the line
// when the app is synced, and knows more.

const names = /^[a-z]{3}$/i;
const nicknames = /^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)$/i;

/** Lowest and highest number of each field, and the words that it knows besides. */
const fields = [
  ["seconds", 0, 59, null],
  ["minutes", 0, 59, null],
  ["hours", 0, 23, null],
  ["days of the month", 1, 31, /^(?:L|LW|\d{1,2}W)$/i],
  ["months", 1, 12, names],
  ["days of the week", 0, 7, /^(?:[a-z]{3}|[a-z\d]{1,3}(?:L|#[1-5L]))$/i],
] as const;

/** The end of a sentence about a line without its zone; null: nothing is wrong. */
export function cronLineProblem(line: string): string | null {
  const parts = line.trim().split(/\s+/);
  if (line.startsWith("@"))
    return nicknames.test(line) ? null : `is no name of times; one such is "@daily"`;
  if (parts.length !== 5 && parts.length !== 6)
    return `has ${parts.length} fields, expected 5, or 6 with seconds`;
  for (const [at, part] of parts.entries()) {
    const [name, min, max, words] = fields[at + fields.length - parts.length] ?? fields[0];
    // A plus before the days of the week wants both kinds of days to match.
    const list = name === "days of the week" ? part.replace(/^\+/, "") : part;
    if (!list.split(",").every((piece) => isPiece(piece, min, max, words)))
      return `has "${part}" for its ${name}, which are ${min} to ${max}`;
  }
  return null;
}

/** `5`, `1-5`, `*`, `?`, a word, each perhaps with a step as in `1-30/5`. */
function isPiece(piece: string, min: number, max: number, words: RegExp | null): boolean {
  const [range = "", step = "1", ...more] = piece.split("/");
  if (more.length > 0 || !/^\d{1,4}$/.test(step) || Number(step) < 1) return false;
  if (range === "*" || range === "?") return true;
  const ends = range.split("-");
  return ends.length <= 2 && ends.every((end) => isIn(end, min, max) || words?.test(end) === true);
}

function isIn(text: string, min: number, max: number): boolean {
  return /^\d{1,2}$/.test(text) && Number(text) >= min && Number(text) <= max;
}
