// The driver's HTTP client: sends events and asks for runs, over keep-alive connections. It must
// not know workloads.
import { Pool, type Dispatcher } from "undici";

const headers = { "content-type": "application/json" };

export class Client {
  readonly #pool: Pool;

  constructor(origin: string) {
    this.#pool = new Pool(origin, { connections: 256, pipelining: 1, headersTimeout: 120_000 });
  }

  /** Resolves once the server has accepted, that is stored, them. */
  send(body: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = { method: "POST", path: "/e/bench", headers, body } as const;
      this.#pool.dispatch(request, new Acceptance(resolve, reject));
    });
  }

  /** The JSON at a path; null when the server cannot be reached or knows nothing there. */
  async get(path: string): Promise<unknown> {
    try {
      const { statusCode, body } = await this.#pool.request({ method: "GET", path });
      const text = await body.text();
      return statusCode === 200 ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Waits for a status 200 and ignores everything else: the driver shall cost little. */
class Acceptance implements Dispatcher.DispatchHandler {
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  #status = 0;

  constructor(resolve: () => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {
    // Nothing to do, but the client insists on a listener.
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(): void {
    // The status says it all.
  }

  onResponseEnd(): void {
    if (this.#status === 200) this.#resolve();
    else this.#reject(new Error(`the server answered ${this.#status}`));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}
