// Commands about durable endpoints: HTTP endpoints of an app whose requests are runs (protocol.md
// 6.3). The app starts such a run and carries it, until it needs what only the server can do.
import type { Opcode } from "@pawl/protocol/opcode";
import type { CommandBase } from "./command-base.ts";
import type { AppRecord, EventRecord, FunctionRecord } from "./records.ts";

/** An endpoint got a request for the first time, or with another configuration. */
export interface EndpointRegistered extends CommandBase {
  readonly type: "endpoint.registered";
  readonly app: Pick<AppRecord, "id" | "name" | "url" | "sdk">;
  readonly fn: Pick<FunctionRecord, "id" | "slug" | "name" | "url" | "retries" | "config">;
}

/** An app tells of a run that it began by itself: the request, and what it came to so far. */
export interface EndpointCalled extends CommandBase {
  readonly type: "endpoint.called";
  /** ULID made by the app. */
  readonly runId: string;
  readonly functionId: string;
  /** `inngest/http.request`. */
  readonly event: EventRecord;
  readonly requestVersion: number;
  readonly opcodes: readonly Opcode[];
}

/** An app tells what more a run came to that it carries. */
export interface EndpointProgressed extends CommandBase {
  readonly type: "endpoint.progressed";
  readonly runId: string;
  readonly opcodes: readonly Opcode[];
}

export type EndpointCommand = EndpointRegistered | EndpointCalled | EndpointProgressed;
