// What a tidy rule has to say. It must not know any rule.
export interface Finding {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  /** Counted from one. */
  readonly line: number;
  readonly rule: string;
  /** What is wrong and what to do instead, in one line. */
  readonly message: string;
}

/** One line a finding, in a form that editors and terminals can jump to. */
export function formatFinding({ path, line, rule, message }: Finding): string {
  return `${path}:${line}  ${rule}  ${message}`;
}
