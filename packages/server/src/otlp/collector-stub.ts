// For tests: an OTLP collector on a loopback port. It keeps what it is sent, as far as tests look.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { look, lookArray } from "../http/test-client.ts";

/** One answer of the collector. */
export interface CollectorReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ReceivedSpan {
  readonly traceId: unknown;
  readonly spanId: unknown;
  readonly parentSpanId: unknown;
  readonly name: unknown;
  /** 0 unset, 2 error. */
  readonly status: unknown;
  readonly startMs: number;
  readonly endMs: number;
  /** By name; values as the wire has them. */
  readonly attributes: ReadonlyMap<unknown, unknown>;
  readonly events: readonly unknown[];
  readonly links: readonly unknown[];
}

export interface CollectorStub {
  readonly url: string;
  readonly requests: IncomingMessage[];
  readonly spans: ReceivedSpan[];
  /** Attributes of the resource of the last request. */
  resource: ReadonlyMap<unknown, unknown>;
  /** What it answers; spans count as received when that is 200. */
  reply: () => CollectorReply | Promise<CollectorReply>;
  close(): Promise<void>;
}

/** Starts one that takes everything. */
export async function startCollectorStub(): Promise<CollectorStub> {
  const server = createServer((request, response) => {
    void (async () => {
      const body: unknown = JSON.parse(await text(request));
      stub.requests.push(request);
      const { status, headers = {} } = await stub.reply();
      if (status === 200) {
        stub.resource = attributesOf(look(body, "resourceSpans.0.resource"));
        stub.spans.push(...lookArray(body, "resourceSpans.0.scopeSpans.0.spans").map(received));
      }
      response.writeHead(status, { "content-type": "application/json", ...headers }).end("{}");
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: a TCP server that listens has one
  const stub: CollectorStub = {
    url: `http://127.0.0.1:${String(port)}`,
    requests: [],
    spans: [],
    resource: new Map(),
    reply: () => ({ status: 200 }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;
}

function received(span: unknown): ReceivedSpan {
  return {
    traceId: look(span, "traceId"),
    spanId: look(span, "spanId"),
    parentSpanId: look(span, "parentSpanId") ?? null,
    name: look(span, "name"),
    status: look(span, "status.code"),
    startMs: msOf(look(span, "startTimeUnixNano")),
    endMs: msOf(look(span, "endTimeUnixNano")),
    attributes: attributesOf(span),
    events: lookArray(span, "events"),
    links: lookArray(span, "links"),
  };
}

/** Nanoseconds since the epoch are too many for a number. */
function msOf(nanos: unknown): number {
  return Number(BigInt(String(nanos)) / 1_000_000n);
}

/** The attributes of anything on the wire that has some. */
export function attributesOf(value: unknown): ReadonlyMap<unknown, unknown> {
  return new Map(
    lookArray(value, "attributes").map((one) => [
      look(one, "key"),
      look(one, "value.stringValue") ?? look(one, "value.intValue") ?? look(one, "value"),
    ]),
  );
}
