// The seam between the server and whatever carries a call to user code: plain data in, plain data
// out, and a way to give up. Drivers decide nothing; they do not know runs, stores or retries.
import type { Answer } from "@pawl/protocol/answer";
import type { GatewayKind } from "@pawl/protocol/gateway-wire";
import type { Opcode } from "@pawl/protocol/opcode";

/** A step that the server performs itself, as the opcodes that tell of it name it. */
export interface GatewayStep {
  readonly kind: GatewayKind;
  readonly face: Pick<
    Opcode,
    "id" | "displayName" | "userId" | "userIndex" | "race" | "stepType" | "opts" | "retries"
  >;
}

/** One call, ready to be sent. */
export interface Call {
  /** Where to: the function's URL with the step to run in its query. Its scheme picks the driver. */
  readonly url: string;
  /** JSON text (protocol.md 2.1); of a gateway call its request, by `writeGatewayRequest`. */
  readonly body: string;
  /** Null: the app is called. Else `url` is `gateway:` and the kind, and no app hears of it. */
  readonly gateway: GatewayStep | null;
  /** Of a durable endpoint: the request is no POST of ours, but the one that the endpoint got. */
  readonly http?: {
    readonly method: string;
    /** Empty: none is sent. */
    readonly contentType: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  /** Calls of one app share connections, and no other app's. */
  readonly appId: string;
  readonly functionId: string;
  readonly runId: string;
  readonly jobId: string;
  readonly generation: number;
  /** The dispatch id, `x-request-id`. */
  readonly requestId: string;
  /** W3C trace context: the run is the trace, the step to run the parent span. */
  readonly traceparent: string;
  readonly tracestate: string;
  /** How long the whole call may take. */
  readonly timeoutMs: number;
}

/** A call under way. */
export interface Carriage {
  /** Never rejects: what goes wrong is a failed answer. Stays pending after `abort`. */
  readonly answer: Promise<Answer>;
  /** Gives up; the app sees its connection end. Safe to call at any time. */
  abort(): void;
}

export interface Driver {
  /** Schemes it serves, with the colon: `http:`. */
  readonly schemes: readonly string[];
  carry(call: Call): Carriage;
  /** Ends what is under way and lets go of connections. */
  close(): Promise<void>;
}

/** Finds the driver for a URL by its scheme; undefined when none serves it. */
export class DriverRegistry {
  readonly #byScheme = new Map<string, Driver>();
  readonly #drivers: readonly Driver[];

  constructor(drivers: readonly Driver[]) {
    this.#drivers = drivers;
    for (const driver of drivers)
      for (const scheme of driver.schemes) this.#byScheme.set(scheme, driver);
  }

  find(url: string): Driver | undefined {
    return this.#byScheme.get(url.slice(0, url.indexOf(":") + 1).toLowerCase());
  }

  /** The schemes that are served, for people. */
  get schemes(): readonly string[] {
    return [...this.#byScheme.keys()];
  }

  async close(): Promise<void> {
    await Promise.all(this.#drivers.map((driver) => driver.close()));
  }
}
