// For tests: asks a server over a real socket and looks into what comes back.
import assert from "node:assert/strict";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body, parsed. */
  readonly json: unknown;
}

export interface Question {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request whose answer must be JSON. */
export async function ask(
  url: string,
  method: string,
  path: string,
  question: Question = {},
): Promise<Answer> {
  const { body, headers } = question;
  const response = await fetch(url + path, {
    method,
    ...(body === undefined ? null : { body }),
    ...(headers === undefined ? null : { headers }),
  });
  const json: unknown = JSON.parse(await response.text());
  return { status: response.status, headers: response.headers, json };
}

/** The value at a path of keys and indexes, as in `data.0.status`; undefined when it is not there. */
export function look(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split(".")) {
    if (typeof found !== "object" || found === null) return undefined;
    found = new Map<string, unknown>(Object.entries(found)).get(key);
  }
  return found;
}

/** The array at a path; fails the test when there is none. */
export function lookArray(value: unknown, path: string): readonly unknown[] {
  const found = look(value, path);
  assert.ok(Array.isArray(found), `${path} is no array in ${JSON.stringify(value)}`);
  return found;
}

/** Looks again until it finds what is wanted; the timeout of the test bounds it. */
export async function until<T>(
  find: () => T | Promise<T>,
  wanted: (found: T) => boolean,
): Promise<T> {
  for (;;) {
    const found = await find();
    if (wanted(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
