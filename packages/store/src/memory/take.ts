// The first few of many.

/** The first `limit` items that pass, in order. */
export function take<T>(items: Iterable<T>, limit: number, passes?: (item: T) => boolean): T[] {
  const taken: T[] = [];
  if (limit <= 0) return taken;
  for (const item of items) {
    if (passes !== undefined && !passes(item)) continue;
    taken.push(item);
    if (taken.length >= limit) break;
  }
  return taken;
}

/** Items up to the first that does not pass. */
export function* takeWhile<T>(
  items: Iterable<T>,
  passes: (item: T) => boolean,
): Generator<T, void> {
  for (const item of items) {
    if (!passes(item)) return;
    yield item;
  }
}
