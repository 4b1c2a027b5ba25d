// An app as its adapters hand it over, and as the parts of the handler see it. Types only.
import type { Connection } from "../client/connection.ts";
import type { PawlFunction } from "../functions/pawl-function.ts";

/** What every adapter's `serve` takes. */
export interface ServeOptions {
  readonly client: { readonly connection: Connection };
  readonly functions: readonly PawlFunction[];
  /** Path at which the app is reached from outside; else `PAWL_SERVE_PATH`, else the request's. */
  readonly servePath?: string;
  /** Scheme, host and port at which the app is reached; else `PAWL_SERVE_ORIGIN`, else the request's. */
  readonly serveOrigin?: string;
}

/** An app, ready to answer. */
export interface Service {
  readonly connection: Connection;
  readonly functions: readonly PawlFunction[];
  /** Name of the adapter, such as `nodejs`. */
  readonly framework: string;
  readonly servePath: string | null;
  readonly serveOrigin: string | null;
}
