// The routes by which apps publish (protocol.md 5.9): one message, a text stream cut into chunks, or
// bytes passed on as they are. Nothing is kept: who does not listen now never gets it. It must not know
// who listens.
import { assertJson } from "@pawl/protocol/json-span";
import { jsonNull, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { z } from "zod";
import type { ApiContext } from "../api/context.ts";
import type { DocumentedRoute } from "../api/endpoint.ts";
import { envelope } from "../api/envelope.ts";
import type { RouteRequest } from "../http/message.ts";
import { httpProblem, problemResponse, type Problem } from "../http/problem.ts";
import type { HttpResponse } from "../http/response.ts";
import { ServerError } from "../server-error.ts";
import { EventCutter, TextCutter } from "./cutters.ts";
import { frameOf, rawFrame, type Message, type RunNames } from "./frame.ts";
import { chunkBytesMax, type RealtimeLimits } from "./limits.ts";
import { runNames } from "./run-feed.ts";
import { isServerTopic, serverTopics } from "./topics.ts";

const published = z.object({ subscribers: z.int().describe("How many listened.") });

/** `publish` and `publish/tee`. */
export function publishRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const shared = {
    method: "POST",
    access: "realtime:write",
    bodyBytesMax: context.limits.bodyBytesMax,
    readsBody: true,
    anyOrigin: false,
    // Calls under way may still publish while the server stops.
    startsWork: false,
  } as const;
  const doc = {
    tag: "v1 realtime",
    body: null,
    data: published,
    status: 200,
    failureStatus: null,
  };
  return [
    {
      ...shared,
      pattern: "/v1/realtime/publish",
      doc: { ...doc, summary: "Publish a message or a text stream", query: publishQuery },
      handle: (request) => publish(context, request),
    },
    {
      ...shared,
      pattern: "/v1/realtime/publish/tee",
      doc: { ...doc, summary: "Pass bytes on to who follows a run", query: teeQuery },
      handle: (request) => tee(context, request),
    },
  ];
}

const publishQuery = z.object({
  channel: z.string(),
  topic: z.array(z.string()),
  run_id: z.string().optional(),
  metadata: z.string().optional().describe("JSON, or text."),
});
const teeQuery = z.object({ channel: z.string().describe("The id of the run.") });

/** Where a message goes, and what is said beside it. */
type Address = Pick<Message, "metadata" | "run"> & {
  readonly channel: string;
  readonly topics: readonly string[];
};

async function publish(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const address = addressOf(context, request.query);
  const isStream = request.header("content-type")?.startsWith("text/stream") === true;
  return isStream
    ? publishStream(context, request, address)
    : publishOne(context, request, address);
}

async function publishOne(
  { realtime, now }: ApiContext,
  request: RouteRequest,
  address: Address,
): Promise<HttpResponse> {
  const { hub, limits } = realtime;
  const read = await request.incoming.readBody(limits.messageBytesMax);
  if (!read.ok) return problemResponse(withSetting(read.problem, limits));
  const data = jsonOf(read.text);
  const createdAt = now();
  const { topics, ...rest } = address;
  const counts = topics.map((topic) =>
    hub.publish(address.channel, topic, () =>
      frameOf({ kind: "data", data, createdAt, topic, ...rest }),
    ),
  );
  return answer(now, Math.max(...counts));
}

/** Each topic has a stream of its own, so that one subscriber can tell them apart. */
async function publishStream(
  { realtime, limits, now, ids }: ApiContext,
  request: RouteRequest,
  { topics, ...rest }: Address,
): Promise<HttpResponse> {
  const { hub } = realtime;
  const streams = topics.map((topic) => ({ topic, streamId: ids.next(now()) }));
  const tell = (kind: Message["kind"], text: string | null): number =>
    Math.max(
      ...streams.map(({ topic, streamId }) =>
        hub.publish(rest.channel, topic, () => {
          const data = toJsonText(text ?? streamId);
          const message = { kind, data, createdAt: now(), topic, ...rest };
          return frameOf(text === null ? message : { ...message, streamId });
        }),
      ),
    );
  const subscribers = tell("datastream-start", null);
  const cutter = new TextCutter(chunkBytesMax, (text) => void tell("chunk", text));
  const { streamMs: withinMs } = realtime.limits;
  const problem = await request.incoming.readPieces(
    { bytesMax: limits.bodyBytesMax, withinMs },
    (piece) => cutter.take(piece),
  );
  cutter.end();
  tell("datastream-end", null);
  return problem === null ? answer(now, subscribers) : problemResponse(problem);
}

async function tee(
  { realtime, limits, now }: ApiContext,
  request: RouteRequest,
): Promise<HttpResponse> {
  const { hub } = realtime;
  const channel = nameOf(request.query.get("channel"), "channel", realtime.limits);
  const pass = (bytes: Uint8Array): void =>
    void hub.publish(channel, serverTopics.stream, () => rawFrame(bytes));
  const cutter = new EventCutter(pass);
  const subscribers = hub.listeners(channel, serverTopics.stream);
  const { streamMs: withinMs } = realtime.limits;
  const problem = await request.incoming.readPieces(
    { bytesMax: limits.bodyBytesMax, withinMs },
    (piece) => cutter.take(piece),
  );
  cutter.end();
  return problem === null ? answer(now, subscribers) : problemResponse(problem);
}

function answer(now: () => number, subscribers: number): HttpResponse {
  return envelope(now(), JSON.stringify({ subscribers }));
}

/** Throws `parameter_invalid`. */
function addressOf({ realtime, backend }: ApiContext, query: URLSearchParams): Address {
  const { limits } = realtime;
  const channel = nameOf(query.get("channel"), "channel", limits);
  const topics = query.getAll("topic").map((name) => nameOf(name, "topic", limits));
  if (topics.length === 0 || topics.length > limits.topicsMax) {
    const most = String(limits.topicsMax);
    throw invalid(`topic must be there once to ${most} times (--realtime-topics-max).`);
  }
  const reserved = topics.find(isServerTopic);
  if (reserved !== undefined)
    throw invalid(`topic must not be ${reserved}: only the server publishes on it.`);
  const runId = query.get("run_id") ?? "";
  const run: RunNames | null = runId === "" ? null : runNames(backend.hot, runId);
  const metadata = query.get("metadata");
  return { channel, topics, run, metadata: metadata === null ? null : jsonOf(metadata) };
}

function nameOf(given: string | null, what: string, { nameCharsMax }: RealtimeLimits): string {
  if (given !== null && given !== "" && given.length <= nameCharsMax) return given;
  const most = String(nameCharsMax);
  throw invalid(`${what} must have 1 to ${most} characters (--realtime-name-chars-max).`);
}

function invalid(message: string): ServerError {
  return new ServerError("parameter_invalid", `Query parameter ${message}`);
}

/** JSON as it is; other text as a JSON string, and nothing as null. */
function jsonOf(text: string): JsonText {
  if (text.trim() === "") return jsonNull;
  try {
    return assertJson(text);
  } catch {
    return toJsonText(text);
  }
}

function withSetting(problem: Problem, { messageBytesMax }: RealtimeLimits): Problem {
  if (problem.code !== "body_too_large") return problem;
  const message = `A message has at most ${String(messageBytesMax)} bytes (--realtime-message-bytes-max).`;
  return httpProblem(413, "body_too_large", message);
}
