// Messages as subscribers get them (protocol.md 5.9): written once, sent to everybody. It must not
// know who gets them.
import type { JsonText } from "@pawl/protocol/json-text";
import { isoTime, spliced } from "../api/envelope.ts";
import { environmentId } from "../api/wire-ids.ts";

/** What a message is about: the closed list of the wire. */
export type MessageKind =
  /** Something that was published. */
  | "data"
  /** A step of a run ended. */
  | "step"
  /** A run ended. */
  | "run"
  | "datastream-start"
  | "chunk"
  | "datastream-end"
  /** Sign of life on connections that have none of their own, and its answer. */
  | "ping"
  | "pong"
  /** The server is stopping, or a response has lasted its time: subscribe anew. */
  | "closing"
  /** Answers to what a subscriber sent. */
  | "sub"
  | "unsub";

export interface Message {
  readonly kind: MessageKind;
  readonly data: JsonText;
  /** Ms since the epoch. */
  readonly createdAt: number;
  readonly channel?: string;
  readonly topic?: string;
  /** What the publisher, or this server, says beside the data. */
  readonly metadata?: JsonText | null;
  readonly run?: RunNames | null;
  /** Of which stream a chunk is. */
  readonly streamId?: string;
}

/** The run that a message is about; its function when it is known. */
export interface RunNames {
  readonly runId: string;
  readonly functionId: string | null;
  readonly functionSlug: string | null;
}

/** Bytes for WebSockets (`message`) and for SSE (`event`), and whether they are a message of the wire. */
export interface Frame {
  readonly isText: boolean;
  readonly message: Uint8Array;
  readonly event: Uint8Array;
}

const eventHead = "data: ";
const eventEnd = "\n\n";

/** One buffer serves both transports: an event of SSE is the message with something around it. */
export function frameOf(message: Message): Frame {
  const event = Buffer.from(`${eventHead}${writeMessage(message)}${eventEnd}`);
  const inner = event.subarray(eventHead.length, event.length - eventEnd.length);
  return { isText: true, message: inner, event };
}

/** Bytes that are passed on as they are. */
export function rawFrame(bytes: Uint8Array): Frame {
  return { isText: false, message: bytes, event: bytes };
}

function writeMessage(message: Message): string {
  const { kind, data, createdAt, channel, topic, metadata = null, run = null, streamId } = message;
  const plain = {
    kind,
    channel,
    topic,
    created_at: isoTime(createdAt),
    env_id: environmentId,
    run_id: run?.runId,
    fn_id: run?.functionId ?? undefined,
    fn_slug: run?.functionSlug ?? undefined,
    stream_id: streamId,
  };
  // Line breaks in JSON stand between values only, and would end a line of SSE.
  return spliced(plain, metadata === null ? { data } : { data, metadata }).replace(/[\r\n]+/g, " ");
}
