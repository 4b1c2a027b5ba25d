// Every option of the commands that run a server, as data: its name, what it accepts, its default.
// A flag `--poll-interval`, the variable `PAWL_POLL_INTERVAL` and the key `poll-interval` of a
// config file are the same option. Where values come from is the job of `resolve.ts`.
import { eventBytesCeiling } from "@pawl/protocol/event-wire";
import { isAllowRule } from "../gateway/address-guard.ts";
import { readIndexPath } from "./index-path.ts";
import {
  integer,
  flag,
  text,
  choice,
  list,
  signingKey,
  apiKeys,
  retention,
  modelPrices,
  address,
  isHttpUrl,
  isHeader,
  isOrigin,
  isHostName,
  type Option,
  type OptionCommand,
} from "./option-kinds.ts";

const everywhere: readonly OptionCommand[] = ["dev", "start", "doctor"];
const mebibyte = 1024 * 1024;

/** All options by name, in the order in which help lists them. */
export const options = {
  port: integer("PORT", 8288, 0, 65_535, {
    short: "p",
    help: "Port of the API; 0 takes any free one.",
  }),
  host: text("HOST", null, {
    help: "Address to listen on instead of loopback, for example 0.0.0.0.",
  }),
  dir: text("DIR", ".pawl", { commands: everywhere, isPath: true, help: "Folder of the store." }),
  "in-memory": flag({ help: "Keep everything in memory; nothing survives the process." }),
  config: text("FILE", null, {
    commands: everywhere,
    help: "Config file; else pawl.json, .yaml or .toml is searched upward.",
  }),
  "log-level": choice(["debug", "info", "warn", "error", "silent"], "info", {
    commands: everywhere,
    help: "How much to log.",
  }),
  json: flag({ commands: everywhere, help: "Print JSON, one object a line." }),
  "sdk-url": list("URL", isHttpUrl, "an http or https URL", {
    short: "u",
    help: "URL at which an app serves; may be repeated.",
  }),
  "no-discovery": flag({
    commands: ["dev"],
    help: "Do not look for apps on the usual local ports and paths.",
  }),
  "no-poll": flag({ commands: ["dev"], help: "Do not ask known apps again for their functions." }),
  "poll-interval": integer("SECONDS", 5, 1, 3_600, {
    commands: ["dev"],
    help: "Time between two polls of known apps.",
  }),
  "retry-interval": integer<null>("SECONDS", null, 0, 86_400, {
    help: "Wait this long before every retry, instead of the backoff table.",
  }),
  "index-path": list(
    "EVENT:PATH",
    (item) => readIndexPath(item) !== null,
    "an event name and a path below data or user, like order/paid:data.orderId",
    { help: "Index events by a path from now on, for searches; may be repeated." },
  ),
  "search-scan-max": integer("N", 10_000, 100, 1_000_000, {
    help: "Events or runs that one page of a search by expression looks at.",
  }),
  "metrics-functions-max": integer("N", 1_000, 0, 100_000, {
    help: "Functions that `/v1/prom/{env}` shows one by one; further ones are shown as `other`.",
  }),
  "graphql-depth-max": integer("N", 20, 1, 100, {
    help: "Levels of fields that one GraphQL query may have.",
  }),
  "graphql-fields-max": integer("N", 1_000, 1, 100_000, {
    help: "Fields that one GraphQL query may have, those of a fragment once for each use.",
  }),
  "graphql-aliases-max": integer("N", 100, 0, 100_000, {
    help: "Aliases that one GraphQL query may have.",
  }),
  "graphql-values-max": integer("N", 200_000, 100, 10_000_000, {
    help: "Values that the answer to one GraphQL query may have.",
  }),
  tick: integer("MS", 1_000, 1, 60_000, {
    help: "Longest time between two looks at the clock, should it be set anew.",
  }),
  "signing-key": signingKey({
    commands: ["start"],
    secret: true,
    help: "Key that signs calls and opens the API. Required.",
  }),
  "signing-key-fallback": signingKey({
    commands: ["start"],
    secret: true,
    help: "Second key that is accepted while keys are rotated.",
  }),
  "event-key": list("KEY", (item) => item !== "", "text that is not empty", {
    commands: ["start"],
    secret: true,
    help: "Key with which events may be sent; may be repeated.",
  }),
  "api-keys": apiKeys({
    commands: ["start"],
    secret: true,
    help: 'API keys by their hash: [{"name","hash","scopes","expiresAt"?}]; see "pawl keys create".',
  }),
  "cors-origins": list(
    "ORIGIN",
    isOrigin,
    "an origin such as https://ops.example.com, without a path",
    { help: "Origin whose pages may use the API; may be repeated." },
  ),
  "allowed-hosts": list("HOST", isHostName, "a host name in lower case, without a port", {
    commands: ["dev"],
    help: "Name besides local ones under which browsers may reach it; may be repeated.",
  }),
  "drain-timeout": integer("SECONDS", 25, 0, 3_600, {
    help: "How long a stopping server waits for calls in flight.",
  }),
  "retention-days": integer("DAYS", 30, 0, 36_500, {
    commands: everywhere,
    help: "How long ended runs and events are kept; 0 keeps them for ever.",
  }),
  retention: retention({
    commands: everywhere,
    help:
      "Limit of a kind (completed, failed, cancelled, skipped, events) by age, count or bytes, " +
      "for example failed.age=90d; may be repeated.",
  }),
  "retention-step-records": integer("N", 200, 1, 100_000, {
    help: "Records of each kind that one step of retention removes; a larger run goes in pieces.",
  }),
  "retention-step-bytes": integer("BYTES", mebibyte, 1_024, 1_024 * mebibyte, {
    help: "Bytes of each kind that one step of retention removes, but for a single larger record.",
  }),
  "otlp-endpoint": address("URL", {
    help: "OTLP collector that gets the traces of ended runs, over HTTP; /v1/traces is added.",
  }),
  "otlp-header": list("NAME=VALUE", isHeader, "a header NAME=VALUE", {
    secret: true,
    help: "Header for the collector, the value percent-encoded; may be repeated.",
  }),
  "otlp-service-name": text("NAME", null, {
    help: "service.name of the traces; else OTEL_SERVICE_NAME, else pawl.",
  }),
  "otlp-queue-max": integer("N", 10_000, 1, 1_000_000, {
    help: "Ended runs that wait to be sent to the collector; further ones are dropped and counted.",
  }),
  "calls-per-app-max": integer("N", 256, 1, 100_000, {
    help: "Calls in flight to one app; more wait in its queue.",
  }),
  "gateway-calls-max": integer("N", 256, 1, 100_000, {
    help: "Requests of step.fetch and step.ai.infer under way at once; more wait in queues.",
  }),
  "gateway-timeout": integer("SECONDS", 600, 1, 7_200, {
    help: "How long one such request may take, redirects and response included.",
  }),
  "gateway-idle-timeout": integer("SECONDS", 300, 1, 7_200, {
    help: "How long a response of such a request may pause.",
  }),
  "gateway-request-bytes-max": integer("N", 4 * mebibyte, 1_024, 64 * mebibyte, {
    help: "Size of the body of such a request.",
  }),
  "gateway-response-bytes-max": integer("N", 4 * mebibyte, 1_024, 64 * mebibyte, {
    help: "Size of the body of the response.",
  }),
  "gateway-redirects-max": integer("N", 10, 0, 100, {
    help: "Redirects that step.fetch follows.",
  }),
  "gateway-allow": list("HOST", isAllowRule, "a host name, *.name, an address or a range", {
    help: "Host or address range that such requests may reach though it is private; may be repeated.",
  }),
  "gateway-allow-private": flag({
    help: "Let such requests reach all private addresses; on in dev on loopback.",
  }),
  "realtime-connections-max": integer("N", 5_000, 1, 1_000_000, {
    help: "Subscribers of realtime at once.",
  }),
  "realtime-topics-max": integer("N", 100, 1, 1_000, {
    help: "Topics of one token, one subscriber, or one message.",
  }),
  "realtime-name-chars-max": integer("N", 256, 16, 4_096, {
    help: "Length of the name of a channel or topic, in characters.",
  }),
  "realtime-message-bytes-max": integer("N", mebibyte / 2, 1_024, 4 * mebibyte, {
    help: "Size of one message that is published; streams have --body-bytes-max.",
  }),
  "realtime-subscriber-bytes-max": integer("N", mebibyte, 1_024, 64 * mebibyte, {
    help: "What may wait for one slow subscriber before it is dropped.",
  }),
  "realtime-waiting-bytes-max": integer("N", 64 * mebibyte, mebibyte, 4_096 * mebibyte, {
    help: "What may wait for all subscribers; whoever holds the most is dropped first.",
  }),
  "realtime-stream-timeout": integer("SECONDS", 900, 10, 86_400, {
    help: "How long one event stream, or one stream that is published, may last.",
  }),
  "realtime-ping": integer("SECONDS", 30, 1, 3_600, {
    help: "Time between two pings; a subscriber that misses two is cut off.",
  }),
  "backlog-max": integer("N", 0, 0, 100_000_000, {
    help: "Calls of one function that may wait in queues before further runs are skipped; 0: any.",
  }),
  "schedule-late-max": integer("SECONDS", 0, 0, 31_536_000, {
    help: "How late the last tick missed while the server was down is made up for; 0: however late.",
  }),
  "schedules-max": integer("N", 10_000, 0, 10_000_000, {
    help: "Schedules made at runtime.",
  }),
  "schedule-catch-up-max": integer("N", 100, 1, 1_000, {
    help: "Missed ticks of one schedule that catch-up `all` makes up for, the latest ones.",
  }),
  "schedule-on-time": integer("SECONDS", 10, 1, 86_400, {
    help: "How late a tick may be and still count as on time, where nothing missed is made up for.",
  }),
  "on-cancel": choice(["abandon", "cancel"], "abandon", {
    help: "What becomes of runs that a cancelled run has invoked, where its SDK does not say.",
  }),
  "preview-runs-max": integer("N", 10_000, 1, 10_000_000, {
    help: "Runs that the dry run of a bulk action with an expression looks at.",
  }),
  "endpoint-silence": integer("SECONDS", 600, 10, 86_400, {
    help: "How long an app may say nothing about a run of its durable endpoint before the server calls it.",
  }),
  "endpoint-origins": list(
    "ORIGIN",
    isOrigin,
    "an origin such as https://shop.example.com, without a path",
    {
      help: "Origin at which durable endpoints may be called; may be repeated. Without any: none in production, all in development.",
    },
  ),
  "endpoints-max": integer("N", 1_000, 0, 100_000, {
    help: "Durable endpoints that may be known, all apps together.",
  }),
  "steps-per-run-max": integer("N", 100_000, 1, 10_000_000, { help: "Steps in one run." }),
  "run-state-chars-max": integer("N", 32 * mebibyte, 1_024, 512 * mebibyte, {
    help: "Size of all step outputs of one run, in characters of JSON.",
  }),
  "step-output-chars-max": integer("N", 4 * mebibyte, 1_024, 64 * mebibyte, {
    help: "Size of the output of one step, in characters of JSON.",
  }),
  "wait-max": integer("DAYS", 366, 1, 3_660, {
    help: "Longest sleep; waits and invocations time out then at the latest.",
  }),
  "run-metadata-chars-max": integer("N", mebibyte, 1_024, 64 * mebibyte, {
    help: "Size of all metadata of one run, in characters.",
  }),
  "run-metadata-max": integer("N", 5_000, 1, 100_000, {
    help: "Entries of metadata of one run: one for each kind of each step, attempt or span.",
  }),
  "model-prices": modelPrices({
    help: 'USD for a million tokens of language models, in place of the listed: {"<model>": {"input": 0.2, "output": 1.25}}.',
  }),
  "defers-per-run-max": integer("N", 20, 0, 1_000, {
    help: "Functions that one run may defer; further ones are rejected.",
  }),
  "defer-chars-max": integer("N", 4 * mebibyte, 2, 64 * mebibyte, {
    help: "Size of the input of one of them, in characters of JSON.",
  }),
  "defer-chars-per-run-max": integer("N", 4 * mebibyte, 2, 64 * mebibyte, {
    help: "Size of the inputs of all of them in one run.",
  }),
  "user-spans-per-run-max": integer("N", 5_000, 0, 1_000_000, {
    help: "Spans of user code that are kept of one run.",
  }),
  "user-span-bytes-per-run-max": integer("N", 8 * mebibyte, 0, 1_024 * mebibyte, {
    help: "Size of all spans of user code of one run.",
  }),
  "spans-per-request-max": integer("N", 5_000, 1, 100_000, {
    help: "Spans in one request of an app.",
  }),
  "trace-bytes-max": integer("N", 8 * mebibyte, 65_536, 64 * mebibyte, {
    help: "Size of the body of a request with spans, inflated.",
  }),
  "wait-branches-max": integer("N", 10, 1, 100, { help: "Events that one step may wait for." }),
  "signal-name-chars-max": integer("N", 256, 1, 4_096, {
    help: "Length of the name of a signal, in characters.",
  }),
  "signal-data-chars-max": integer("N", mebibyte / 2, 1, 4 * mebibyte, {
    help: "Size of what a signal carries, in characters of JSON.",
  }),
  "event-bytes-max": integer("N", eventBytesCeiling, 1_024, eventBytesCeiling, {
    help: "Size of one event.",
  }),
  "events-per-request-max": integer("N", 5_000, 1, 100_000, { help: "Events in one request." }),
  "body-bytes-max": integer("N", 32 * mebibyte, 65_536, 256 * mebibyte, {
    help: "Size of the body of one request.",
  }),
} satisfies Record<string, Option<unknown>>;

export type OptionName = keyof typeof options;

/** A value for every option. */
export type OptionValues = {
  readonly [K in OptionName]: (typeof options)[K] extends Option<infer T> ? T : never;
};

/** All names, in order. */
export const optionNames = Object.keys(options) as readonly OptionName[]; // proof: keys of that very object

/** The environment twin: `PAWL_POLL_INTERVAL` for `poll-interval`. */
export function environmentName(name: string): string {
  return `PAWL_${name.toUpperCase().replaceAll("-", "_")}`;
}
