// A subscriber on a WebSocket (protocol.md 5.9): what it is sent, and what it may say: `sub` with
// another token, `unsub` with topics, `ping`. It must not know who publishes.
import { z } from "zod";
import { toJsonText } from "@pawl/protocol/json-text";
import { httpProblem, type Problem } from "../http/problem.ts";
import type { WebSocketListener, WebSocketPeer } from "../http/web-socket.ts";
import { goodbyeOf } from "./farewell.ts";
import { frameOf, type MessageKind } from "./frame.ts";
import type { Hub } from "./hub.ts";
import type { RealtimeLimits } from "./limits.ts";
import { Subscriber, type Line } from "./subscriber.ts";
import type { TokenReading } from "./tokens.ts";
import type { Topic } from "./topics.ts";

export interface SocketParts {
  readonly hub: Hub;
  readonly limits: RealtimeLimits;
  readonly now: () => number;
  readonly readToken: (token: string) => Promise<TokenReading>;
}

/** What a subscriber asked for and is not yet answered; more than this is misbehaviour. */
const requestsMax = 16;

const named = z.object({ channel: z.string(), name: z.string() });
const requestSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("sub"), data: z.string() }),
  z.object({ kind: z.literal("unsub"), data: z.array(named) }),
  z.object({ kind: z.literal("ping") }),
  z.object({ kind: z.literal("pong") }),
]);
type Request = z.output<typeof requestSchema>;

/** Subscribes an open socket to topics. */
export function subscribeSocket(
  parts: SocketParts,
  peer: WebSocketPeer,
  topics: readonly Topic[],
): WebSocketListener {
  const { hub, limits, now, readToken } = parts;
  const subscriber = new Subscriber(lineOf(peer, limits));
  let requests = 0;
  hub.join(subscriber, topics);
  const reply = (kind: MessageKind, data: unknown): void =>
    hub.deliver(subscriber, frameOf({ kind, data: toJsonText(data), createdAt: now() }));
  const subscribe = async (token: string): Promise<void> => {
    requests += 1;
    const reading = await readToken(token);
    requests -= 1;
    if (!reading.ok) return reply("sub", refusalOf(reading.problem));
    if (hub.add(subscriber, reading.topics)) return reply("sub", { topics: reading.topics });
    const { topicsMax } = limits;
    const message = `One subscriber may have ${String(topicsMax)} topics (--realtime-topics-max).`;
    reply("sub", refusalOf(httpProblem(400, "too_many_topics", message)));
  };
  const answer = (request: Request): void => {
    switch (request.kind) {
      case "sub":
        return void subscribe(request.data);
      case "unsub":
        hub.remove(
          subscriber,
          request.data.map((topic) => ({ kind: "run", ...topic })),
        );
        return reply("unsub", { topics: request.data });
      case "ping":
        return reply("pong", null);
      case "pong":
    }
  };
  return {
    message: (bytes, isText) => {
      subscriber.silentPings = 0;
      const request = isText && requests < requestsMax ? readRequest(bytes) : null;
      if (request === null) hub.drop(subscriber, "misbehaved");
      else if (!subscriber.isLeaving) answer(request);
    },
    pong: () => {
      subscriber.silentPings = 0;
    },
    closed: () => hub.leave(subscriber),
  };
}

function lineOf(peer: WebSocketPeer, limits: RealtimeLimits): Line {
  return {
    transport: "websocket",
    send: ({ message, isText }, done) => peer.send(message, isText, done),
    ping: () => peer.ping(),
    close: (why) => {
      const { code, reason } = goodbyeOf(why, limits);
      peer.close(code, reason);
    },
    cut: () => peer.cut(),
  };
}

/** Null: it is none. */
function readRequest(bytes: Uint8Array): Request | null {
  try {
    const read = requestSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}

function refusalOf({ message, code, status }: Problem): object {
  return { error: message, code, status };
}
