// What an API key may be allowed to do: the closed list of scopes, and who a request comes from. It
// must not know how keys look or where they are kept.

/**
 * What a key may do. Reading and changing are apart; `admin` allows everything, and is the only
 * scope for what has none of its own.
 */
export const scopes = [
  /** Look at apps and their functions. */
  "apps:read",
  /** Sync and remove apps. */
  "apps:write",
  /** Pause and resume functions. */
  "functions:write",
  /** Look at events. */
  "events:read",
  /** Send events. */
  "events:write",
  /** Look at runs, their steps, inputs and outputs. */
  "runs:read",
  /** Start, signal, cancel and repeat runs. */
  "runs:write",
  /** Send spans that user code made within runs. */
  "traces:write",
  /** Look at schedules. */
  "schedules:read",
  /** Make, change and remove schedules; what they do takes `events:write` or `runs:write` as well. */
  "schedules:write",
  /** Get tokens with which to subscribe to channels, those of runs and their outputs included. */
  "realtime:read",
  /** Publish on channels. */
  "realtime:write",
  /** Scrape measurements. */
  "metrics:read",
  "admin",
] as const;

export type Scope = (typeof scopes)[number];

/** Whether a text is the name of a scope. */
export function isScope(text: unknown): text is Scope {
  return scopes.some((scope) => scope === text);
}

/** Who sends a request, after the guard has looked at it. */
export interface Caller {
  /** The name of the API key, for logs; null for everybody who has none. */
  readonly keyName: string | null;
  may(scope: Scope): boolean;
}

/** Somebody who may do everything: holders of the signing key, and all of a development server. */
export const unlimited: Caller = { keyName: null, may: () => true };

/** Somebody who needs no scope where they are, and gets none. */
export const nobody: Caller = { keyName: null, may: () => false };

/** The holder of an API key with these scopes. */
export function callerWith(keyName: string, granted: readonly Scope[]): Caller {
  const known = new Set(granted);
  return { keyName, may: (scope) => known.has("admin") || known.has(scope) };
}

/** What to tell a caller without a scope: the scope, and nothing about any key. */
export function scopeMissing(scope: Scope): string {
  return `This key lacks the scope ${scope}. Use a key that has it.`;
}
