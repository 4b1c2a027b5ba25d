// The requests an app makes of its server besides sending events: registering, saving checkpoints,
// fetching what was too large to be pushed. Knows paths and keys; what an answer means is told by
// those who ask.
import { headerEnv, headerSdk } from "@pawl/protocol/headers";
import type { JsonValue } from "@pawl/protocol/json-text";
import type { Connection } from "../client/connection.ts";
import { PawlError } from "../errors.ts";
import { sdkName } from "../version.ts";
import type { FetchInit } from "../runtime.ts";
import { bearers } from "./authenticity.ts";

/** A server's answer. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

export type ApiMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One request; 401 and 403 are repeated once with the fallback key. Throws `server_unreachable`. */
export async function requestApi(
  connection: Connection,
  method: ApiMethod,
  path: string,
  body: string | null,
  headers: Readonly<Record<string, string>> = {},
): Promise<ApiAnswer> {
  let answer: ApiAnswer | null = null;
  for (const bearer of bearers(connection)) {
    const sent = {
      ...(body === null ? {} : { "content-type": "application/json" }),
      [headerSdk]: sdkName,
      ...(connection.env === null ? {} : { [headerEnv]: connection.env }),
      ...(bearer === null ? {} : { authorization: bearer }),
      ...headers,
    };
    const init = { method, headers: sent, ...(body === null ? {} : { body }) };
    answer = await fetchText(connection, `${connection.baseUrl}${path}`, init);
    if (answer.status !== 401 && answer.status !== 403) return answer;
  }
  if (answer === null) throw new PawlError("server_unreachable", "There is no key to ask with.");
  return answer;
}

async function fetchText(connection: Connection, url: string, init: FetchInit): Promise<ApiAnswer> {
  try {
    const response = await connection.runtime.fetch(url, init);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `The server at ${connection.baseUrl} cannot be reached: ${reason}`;
    throw new PawlError("server_unreachable", message, { cause: error });
  }
}

/** The JSON of a run's part (protocol.md 3). Throws `server_refused` and `server_unreachable`. */
export async function fetchRunPart(
  connection: Connection,
  runId: string,
  part: "batch" | "actions",
): Promise<JsonValue> {
  const path = `/v0/runs/${encodeURIComponent(runId)}/${part}`;
  const answer = await requestApi(connection, "GET", path, null);
  if (answer.status !== 200) {
    throw new PawlError("server_refused", `The server answered ${answer.status} to GET ${path}.`);
  }
  try {
    return JSON.parse(answer.text) as JsonValue; // proof: JSON.parse yields JSON values
  } catch {
    throw new PawlError("server_refused", `The server answered GET ${path} with no JSON.`);
  }
}
