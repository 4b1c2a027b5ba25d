// What an app's process and the test's process say to each other.

/** How an app is to be started; in the environment variable `SDK_APP` as JSON. */
export interface AppSettings {
  readonly flavour: "js4" | "js4-no-checkpoint" | "js3" | "pawl";
  readonly appId: string;
  readonly serverUrl: string;
  /** Which functions it serves. */
  readonly functions:
    | "scenarios"
    | "partner"
    | "cloud"
    | "flow"
    | "before-redeploy"
    | "redeployed"
    | "refused";
  /** Null: development mode. */
  readonly keys: AppKeys | null;
  readonly streaming: boolean;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface AppKeys {
  readonly signingKey: string;
  readonly fallbackKey: string | null;
  readonly eventKey: string;
}

/** One call that the server made, told when it was answered. */
export interface CallNote {
  readonly type: "call";
  readonly functionId: string;
  /** `step`, or the hash of the one step that was to run. */
  readonly target: string;
  readonly status: number;
  /** Length of the request's body. */
  readonly bytes: number;
}

export type FromApp =
  | { readonly type: "ready"; readonly url: string }
  | { readonly type: "note"; readonly key: string; readonly value: unknown }
  | CallNote
  /** All that was said before `flush` has arrived. */
  | { readonly type: "flushed"; readonly turn: number };

export type ToApp =
  | { readonly type: "flush"; readonly turn: number }
  /** Sends an event with the app's own client, outside of functions; answers by a note. */
  | { readonly type: "send"; readonly name: string; readonly key: string };
