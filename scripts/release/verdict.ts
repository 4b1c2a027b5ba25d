// What a check of the release has to say. It must not know any check.
export interface Verdict {
  /** What was found, in one line, whether fine or not. */
  readonly note: string;
  /** Empty if and only if the check has passed. */
  readonly problems: readonly string[];
}
