// One HTTP request and its response, gathered as bytes: the leanest handler the HTTP client takes.
// It must not know what the response means.
import type { Dispatcher } from "undici";

/** How an exchange ended. */
export type Ended =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: ResponseHeaders;
      /** Empty when there was no body. */
      readonly bytes: Uint8Array;
    }
  /** `answered`: a status had come already. */
  | { readonly kind: "broken"; readonly error: Error; readonly answered: boolean }
  | { readonly kind: "tooLarge" };

export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A response header by its lower-case name; null when it is absent. */
export function headerOf(headers: ResponseHeaders, name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : typeof value === "string" ? value : (value[0] ?? null);
}

const noBytes = new Uint8Array();

export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #bytesMax: number;
  #onEnd: ((ended: Ended) => void) | null;
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #headers: ResponseHeaders = {};
  #first: Buffer | null = null;
  #rest: Buffer[] | null = null;
  #bytes = 0;

  /** `onEnd` is called once, unless `abort` came first. */
  constructor(bytesMax: number, onEnd: (ended: Ended) => void) {
    this.#bytesMax = bytesMax;
    this.#onEnd = onEnd;
  }

  /** Ends the exchange without a result. */
  abort(reason: string): void {
    this.#onEnd = null;
    this.#controller?.abort(new Error(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#onEnd === null) controller.abort(new Error("given up before it was sent"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) {
      this.#end({ kind: "tooLarge" });
      controller.abort(new Error("the response is too large"));
    } else if (this.#first === null) this.#first = chunk;
    else (this.#rest ??= [this.#first]).push(chunk);
  }

  onResponseEnd(): void {
    const all = this.#rest === null ? this.#first : Buffer.concat(this.#rest, this.#bytes);
    const bytes = all ?? noBytes;
    this.#end({ kind: "answered", status: this.#status, headers: this.#headers, bytes });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end({ kind: "broken", error, answered: this.#status >= 200 });
  }

  #end(ended: Ended): void {
    const onEnd = this.#onEnd;
    this.#onEnd = null;
    this.#first = null;
    this.#rest = null;
    onEnd?.(ended);
  }
}
