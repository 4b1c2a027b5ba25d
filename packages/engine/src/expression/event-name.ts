// Event names and the patterns that triggers and waits may use for them. This file must not know
// events, functions or runs.

/** Whether it stands for more than one name: it contains `*`. */
export function isPattern(pattern: string): boolean {
  return pattern.includes("*");
}

/**
 * Whether an event name fits a name or a pattern, in which each `*` stands for any run of
 * characters, the empty one included. Nothing is tried twice: the pieces between the stars are
 * taken at the first place where they fit, which is right because a star leaves all room behind.
 */
export function matchesEventName(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
