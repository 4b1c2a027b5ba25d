// Small things that several scenarios need.

/** As texts, in order. */
export function sorted(values: readonly unknown[]): string[] {
  return values.map(String).toSorted();
}

/** A function whose promises resolve when it has been called `count` times. */
export function barrier(count: number): () => Promise<void> {
  let missing = count;
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    missing -= 1;
    if (missing === 0) open();
    return opened;
  };
}

/** The message of something that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** For `then(nothing, messageOf)`: no error, no message. */
export function nothing(): null {
  return null;
}
