// HTTP requests by Node's own client over connections that stay open: a third of the cost of
// `fetch`, which counts because each checkpoint is a request. Only what the SDK asks for; on other
// runtimes there is none. It must not know what is sent, nor to whom.
import { builtinModule, type Fetch, type FetchedAnswer } from "./runtime.ts";

/** A message's headers and, when asked for as text, its body. */
interface IncomingAnswer {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  setEncoding(encoding: "utf8"): unknown;
  on(event: "data", listener: (chunk: string) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

interface OutgoingRequest {
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "timeout", listener: () => void): unknown;
  destroy(error: Error): unknown;
  end(body: string | undefined): unknown;
}

interface RequestOptions {
  readonly agent: object;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
}

/** The parts of `node:http` and `node:https` used here. */
interface HttpModule {
  readonly Agent: new (options: { readonly keepAlive: boolean }) => object;
  request(
    url: string,
    options: RequestOptions,
    onAnswer: (answer: IncomingAnswer) => void,
  ): OutgoingRequest;
}

/** As long as `fetch` waits for a server that says nothing. */
const silenceMs = 300_000;

/**
 * The same in the form of `fetch`; null where the runtime is not Node. What this client does not do
 * is left to `fetch`: redirects, and everything once somebody has put another `fetch` in place.
 */
export function nativeFetch(): Fetch | null {
  // Bun and Deno have these modules, too, but their `fetch` is the faster one.
  if (!globalThis.navigator?.userAgent?.startsWith("Node.js/")) return null;
  const plain = httpModule("node:http");
  const secure = httpModule("node:https");
  if (plain === null || secure === null) return null;
  const sendPlain = sender(plain);
  const sendSecure = sender(secure);
  const original = globalThis.fetch;
  return async (url, init) => {
    if (globalThis.fetch !== original) return globalThis.fetch(url, init);
    const send = url.startsWith("https:") ? sendSecure : sendPlain;
    const answer = await send(url, init);
    const redirects = answer.status >= 301 && answer.status <= 308 && answer.status !== 304;
    return redirects ? globalThis.fetch(url, init) : answer;
  };
}

function httpModule(id: "node:http" | "node:https"): HttpModule | null {
  const module = builtinModule(id);
  if (module === null || typeof module !== "object" || !("Agent" in module)) return null;
  return module as HttpModule; // proof: the documented members of Node's modules
}

function sender(module: HttpModule): Fetch {
  const agent = new module.Agent({ keepAlive: true });
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const options = { agent, method, headers, timeout: silenceMs };
      const request = module.request(url, options, (answer) => {
        gather(answer).then((text) => resolve(toAnswer(answer, text)), reject);
      });
      request.on("error", reject);
      request.on("timeout", () => request.destroy(new Error("the server does not answer")));
      // Given in one piece, the body has its length in the head.
      request.end(body);
    });
}

function gather(answer: IncomingAnswer): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    answer.setEncoding("utf8");
    answer.on("data", (chunk: string) => (text += chunk));
    answer.on("end", () => resolve(text));
    answer.on("error", reject);
  });
}

function toAnswer({ statusCode, headers }: IncomingAnswer, text: string): FetchedAnswer {
  const get = (name: string): string | null => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(", ") : (value ?? null);
  };
  return { status: statusCode ?? 0, headers: { get }, text: () => Promise.resolve(text) };
}
