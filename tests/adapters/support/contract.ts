// What every adapter has to do, whatever framework it stands on. Each adapter's test file brings the
// ways in which its framework is used.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NonRetriableError, Pawl } from "pawl";
import {
  headerFramework,
  headerNoRetry,
  headerRequestVersion,
  headerSdkHandled,
  headerSignature,
  headerSyncKind,
} from "@pawl/protocol/headers";
import { signRequest, verifySignature } from "@pawl/protocol/signature";
import type { Site, StartSite } from "./site.ts";

export const signingKey = `signkey-test-${"ab".repeat(32)}`;

/** Requests that the app has sent to its server. */
interface Sent {
  readonly url: string;
  readonly body: string;
}

/** An app with a function of one step, and one that fails. */
export function makeApp(mode: "dev" | "production") {
  const sent: Sent[] = [];
  const client = new Pawl({
    id: "shop",
    isDev: mode === "dev",
    baseUrl: "http://pawl.test",
    logger: silent,
    fetch: (url, init) => {
      sent.push({ url, body: typeof init.body === "string" ? init.body : "" });
      return Promise.resolve(Response.json({ ok: true, modified: true }));
    },
    ...(mode === "dev" ? {} : { signingKey }),
  });
  const greet = client.createFunction(
    { id: "greet" },
    { event: "greet" },
    async ({ event, step }) => step.run("echo", () => ({ echo: event.data["text"] })),
  );
  const fail = client.createFunction({ id: "fail" }, { event: "fail" }, () => {
    throw new NonRetriableError("never again");
  });
  return { options: { client, functions: [greet, fail] }, sent };
}

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The body of a call whose event carries `text`. */
export function callBody(text: string): string {
  const event = { id: "e1", name: "greet", data: { text }, ts: 1, user: {} };
  return JSON.stringify({
    version: 2,
    event,
    events: [event],
    steps: {},
    ctx: {
      run_id: "01JD0000000000000000000000",
      attempt: 0,
      max_attempts: 4,
      stack: { stack: [], current: 0 },
      disable_immediate_execution: false,
    },
  });
}

/** A call as a server makes it. */
export function callTo(site: Site, slug: string, body: string, signature?: string): Request {
  return new Request(`${site.url}?fnId=${slug}&stepId=step`, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      ...(signature === undefined ? {} : { [headerSignature]: signature }),
    },
  });
}

/** Defines the tests of one way to use an adapter; `framework` is how it names itself. */
export function adapterContract(what: string, framework: string, start: StartSite): void {
  const withApp = (
    name: string,
    mode: "dev" | "production",
    use: (site: Site, sent: readonly Sent[]) => Promise<void>,
  ): void => {
    test(`${what}: ${name}`, async () => {
      const { options, sent } = makeApp(mode);
      const site = await start(options);
      try {
        await use(site, sent);
      } finally {
        await site.close();
      }
    });
  };

  withApp("GET tells about the app", "dev", async (site) => {
    const answer = await site.fetch(new Request(site.url));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get(headerFramework), framework);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    const told = await bodyOf<{ function_count: number; mode: string }>(answer);
    assert.deepEqual([told.function_count, told.mode], [2, "dev"]);
  });

  withApp("PUT without a body registers the app by the URL that was asked", "dev", (site, sent) =>
    provesRegistration(site, sent),
  );
  withApp("PUT answers with the functions when the server asks so", "dev", provesInBandSync);
  withApp("POST calls a function, whose step runs", "dev", provesCall);

  withApp("errors keep their status and headers", "dev", async (site) => {
    const failed = await site.fetch(callTo(site, "shop-fail", callBody("")));
    assert.equal(failed.status, 400);
    assert.equal(failed.headers.get(headerNoRetry), "true");
    assert.equal((await bodyOf<{ message: string }>(failed)).message, "never again");
    const unknown = await site.fetch(callTo(site, "shop-gone", callBody("")));
    assert.equal(unknown.status, 404);
    assert.equal((await bodyOf<{ name: string }>(unknown)).name, "FunctionNotFound");
  });

  withApp("production: signed both ways, strangers are refused", "production", provesSignatures);
}

async function provesRegistration(site: Site, sent: readonly Sent[]): Promise<void> {
  const put = new Request(`${site.url}?deployId=d1`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
  });
  const answer = await site.fetch(put);
  assert.equal(answer.status, 200);
  const [request, more] = sent;
  assert.equal(more, undefined);
  assert.equal(request?.url, "http://pawl.test/fn/register?deployId=d1");
  const registered = JSON.parse(request.body) as { url: string; functions: unknown[] }; // proof: ours
  assert.equal(registered.url, site.url);
  assert.equal(registered.functions.length, 2);
}

async function provesInBandSync(site: Site): Promise<void> {
  const url = "https://outside.example/api/pawl";
  const put = new Request(site.url, {
    method: "PUT",
    body: JSON.stringify({ url }),
    headers: { [headerSyncKind]: "in_band", "content-type": "application/json" },
  });
  const answer = await site.fetch(put);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get(headerSyncKind), "in_band");
  const told = await bodyOf<{ url: string; functions: { id: string }[] }>(answer);
  assert.equal(told.url, url);
  assert.deepEqual(
    told.functions.map(({ id }) => id),
    ["shop-greet", "shop-fail"],
  );
}

async function provesCall(site: Site): Promise<void> {
  const text = `grüße 😀 ${"x".repeat(50_000)}`;
  const answer = await site.fetch(callTo(site, "shop-greet", callBody(text)));
  assert.equal(answer.status, 206);
  assert.equal(answer.headers.get(headerRequestVersion), "3");
  const [op] = await bodyOf<[{ op: string; data: unknown }]>(answer);
  assert.equal(op.op, "StepRun");
  assert.deepEqual(op.data, { echo: text });
}

async function provesSignatures(site: Site): Promise<void> {
  // An odd order of members and a fraction that JSON writes in another way: signatures are over
  // the canonical form, so a parser in between does no harm.
  const body = callBody("sealed ü").replace('"version":2', '"version":2.0');
  const stranger = await site.fetch(callTo(site, "shop-greet", body));
  assert.equal(stranger.status, 401);
  assert.equal(stranger.headers.get(headerSdkHandled), "true");
  const forged = signRequest({ key: signingKey, body: callBody("other"), at: Date.now() });
  assert.equal((await site.fetch(callTo(site, "shop-greet", body, forged))).status, 401);
  const signature = signRequest({ key: signingKey, body, at: Date.now() });
  const answer = await site.fetch(callTo(site, "shop-greet", body, signature));
  assert.equal(answer.status, 206);
  verifySignature({
    keys: [signingKey],
    header: answer.headers.get(headerSignature),
    body: await answer.text(),
    now: Date.now(),
    canonical: false,
  });
  const get = new Request(site.url, {
    headers: { [headerSignature]: signRequest({ key: signingKey, body: "", at: Date.now() }) },
  });
  assert.equal((await site.fetch(get)).status, 200);
}

/** The JSON of an answer, in the shape that the caller names. */
export async function bodyOf<Shape>(answer: Response): Promise<Shape> {
  return (await answer.json()) as Shape; // proof: tests read what they have caused themselves
}
