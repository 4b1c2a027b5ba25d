// The name under which the one wait for a signal is found: the key of its gate record, which also
// stands among the holds of the run that waits (`flow/holds.ts`).

/** The key of the gate record of a signal. */
export function signalKey(signal: string): string {
  return `signal:${signal}`;
}
