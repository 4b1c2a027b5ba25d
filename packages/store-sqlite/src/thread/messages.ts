// What the main thread and the threads of a store say to each other: plain data, one reply to each
// request. Errors travel as code and text, because a class does not survive the way.
import { StoreError } from "@pawl/store/store-error";
import type { StoreErrorCode } from "@pawl/store/store-error";
import type { Change } from "@pawl/engine/changes";
import type { ListQuery } from "@pawl/store/store";

/** For the thread that writes. */
export type WriterRequest =
  | { readonly type: "open" }
  | { readonly type: "compact" }
  | { readonly type: "commit"; readonly changes: readonly Change[]; readonly epoch: number }
  | { readonly type: "close" };

/** For the thread that answers people. */
export type ListRequest =
  | { readonly type: "list"; readonly query: ListQuery }
  | { readonly type: "verify" }
  | { readonly type: "close" };

/** A request under way. */
export interface Envelope<R> {
  readonly id: number;
  readonly request: R;
}

export type ThreadReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: StoreErrorCode;
      readonly message: string;
    };

/** Runs the work and puts its outcome into a reply. */
export function replyOf(id: number, work: () => unknown): ThreadReply {
  try {
    return { id, ok: true, value: work() };
  } catch (error) {
    const code = error instanceof StoreError ? error.code : "store_failed";
    return { id, ok: false, code, message: error instanceof Error ? error.message : String(error) };
  }
}
