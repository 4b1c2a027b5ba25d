// Registrations: how an app tells the server of its functions (protocol.md 1.2 to 1.4), out of
// band as the body of `POST /fn/register`, or in band as the answer to a PUT. The union over the
// SDKs becomes one clean structure. It must not know what is stored already, nor compile
// expressions or cron lines.
import { z } from "zod";
import { parseDuration } from "./duration.ts";
import { canonicalize } from "./jcs.ts";
import { elementsOf } from "./json-span.ts";
import { type JsonText, type JsonValue, toJsonText } from "./json-text.ts";
import { isJsonObject, type JsonObject, ObjectReader, parseJson } from "./object-reader.ts";
import { ProtocolError } from "./protocol-error.ts";
import { sha256Hex } from "./sha256.ts";

export interface RegisteredEventTrigger {
  readonly kind: "event";
  /** An event name, or a pattern in which `*` stands for any run of characters. */
  readonly event: string;
  /** CEL over `event`; null starts the function for every event of the name. */
  readonly expression: string | null;
}

export interface RegisteredCronTrigger {
  readonly kind: "cron";
  readonly cron: string;
  /** Each tick fires up to so much later; absent: none does. */
  readonly jitterMs?: number;
}

export type RegisteredTrigger = RegisteredEventTrigger | RegisteredCronTrigger;

export interface RegisteredFunction {
  /** `<appId>-<functionId>`. */
  readonly slug: string;
  readonly name: string;
  /** Empty when the function is started by invocation only. */
  readonly triggers: readonly RegisteredTrigger[];
  /** Retries after the first attempt; null leaves them to the server's default. */
  readonly retries: number | null;
  /** Where the function is called. */
  readonly stepUrl: string;
  /** The whole configuration as the app sent it, flow control included. */
  readonly config: JsonText;
}

export interface Registration {
  readonly appName: string;
  /** The serve URL. */
  readonly url: string;
  /** `js:v4.24.0` and the like; empty when the app did not say. */
  readonly sdk: string;
  readonly framework: string | null;
  readonly platform: string | null;
  readonly appVersion: string | null;
  readonly deployId: string | null;
  readonly functions: readonly RegisteredFunction[];
  /** SHA-256 of the normalised payload; the same again means that nothing changed. */
  readonly checksum: string;
}

export const registrationLimits = {
  functionsMax: 1_000,
  triggersMax: 10,
  retriesMax: 20,
  idCharsMax: 256,
  nameCharsMax: 512,
  urlCharsMax: 2_048,
  eventNameCharsMax: 256,
  textCharsMax: 10_000,
} as const;

const limits = registrationLimits;
/** The trigger that says "by invocation": newer SDKs leave it out, older ones may send it. */
const invokeTriggerEvent = "inngest/function.invoked";

const text = z.string().max(limits.textCharsMax);
const id = z.string().min(1).max(limits.idCharsMax);
const anyObject = z.record(z.string(), z.unknown());
const webUrl = z
  .string()
  .max(limits.urlCharsMax)
  .refine(isWebUrl, "must be a URL that begins with http, https, ws or wss");

/** Keys in the schemas are lower case, because `lowerKeys` comes first. */
const triggerSchema = z.object({
  event: z.string().max(limits.eventNameCharsMax).nullish(),
  expression: text.nullish(),
  cron: text.nullish(),
  jitter: text.nullish(),
});

const retriesSchema = z.int().min(0).max(limits.retriesMax);

const stepSchema = z.object({
  runtime: z.object({ url: webUrl }),
  retries: z.object({ attempts: retriesSchema.nullish() }).nullish(),
});

/** Flow control is kept for its own validation; here only the kind of JSON is looked at. */
const functionSchema = z.object({
  id,
  name: z.string().max(limits.nameCharsMax).nullish(),
  triggers: z.array(triggerSchema).max(limits.triggersMax),
  steps: z.record(z.string(), stepSchema),
  retries: z.union([retriesSchema, z.object({ attempts: retriesSchema.nullish() })]).nullish(),
  concurrency: z.union([z.number(), anyObject, z.array(anyObject)]).nullish(),
  throttle: anyObject.nullish(),
  ratelimit: anyObject.nullish(),
  debounce: anyObject.nullish(),
  batchevents: anyObject.nullish(),
  priority: anyObject.nullish(),
  idempotency: text.nullish(),
  cancel: z.array(anyObject).nullish(),
  timeouts: anyObject.nullish(),
  singleton: anyObject.nullish(),
});

const functionsSchema = z.array(functionSchema).max(limits.functionsMax);
const optionalText = text.nullish();

const outOfBandSchema = z.object({
  appname: id,
  url: webUrl,
  sdk: optionalText,
  framework: optionalText,
  appversion: optionalText,
  deployid: optionalText,
  headers: z.object({ platform: optionalText }).nullish(),
  functions: functionsSchema,
});

const inBandSchema = z.object({
  app_id: id,
  url: webUrl,
  sdk: optionalText,
  sdk_language: optionalText,
  sdk_version: optionalText,
  framework: optionalText,
  platform: optionalText,
  appversion: optionalText,
  functions: functionsSchema,
});

type WireFunction = z.infer<typeof functionSchema>;
type WireTrigger = z.infer<typeof triggerSchema>;

/**
 * Reads the body of an out-of-band registration (protocol.md 1.2, 1.3). Throws `json_invalid` or
 * `registration_invalid`; the message names the function and the field.
 */
export function readRegistration(body: string): Registration {
  const source = readerOf(body);
  const wire = parse(outOfBandSchema, source.value);
  return complete(source, wire.functions, {
    appName: wire.appname,
    url: wire.url,
    sdk: wire.sdk ?? "",
    framework: wire.framework || null,
    platform: wire.headers?.platform || null,
    appVersion: wire.appversion || null,
    deployId: wire.deployid || null,
  });
}

/**
 * Reads an app's answer to an in-band sync (protocol.md 1.4) into the same structure. Throws
 * `json_invalid` or `registration_invalid`.
 */
export function readInBandSync(body: string): Registration {
  const source = readerOf(body);
  const wire = parse(inBandSchema, source.value);
  return complete(source, wire.functions, {
    appName: wire.app_id,
    url: wire.url,
    sdk: wire.sdk || sdkOf(wire.sdk_language, wire.sdk_version),
    framework: wire.framework || null,
    platform: wire.platform || null,
    appVersion: wire.appversion || null,
    deployId: null,
  });
}

function readerOf(body: string): ObjectReader {
  const value = parseJson(body);
  if (!isJsonObject(value)) throw invalid("The registration must be a JSON object.");
  // proof: parseJson accepted the text
  return new ObjectReader(value, body as JsonText, "The registration", "registration_invalid");
}

function sdkOf(language: string | null | undefined, version: string | null | undefined): string {
  if (!language) return "";
  return version ? `${language}:v${version.replace(/^v/, "")}` : language;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: JsonObject): z.infer<Schema> {
  const normal = normalize(value);
  const result = schema.safeParse(normal);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(describe(issue, value) + found(issue, normal));
}

/** Lower-case keys where Go's decoder would not mind the case, without touching user data. */
function normalize(value: JsonObject): JsonObject {
  const app = lowerKeys(value);
  const { functions, headers } = app;
  return {
    ...app,
    ...(isJsonObject(headers) ? { headers: lowerKeys(headers) } : {}),
    ...(Array.isArray(functions) ? { functions: functions.map(normalizeFunction) } : {}),
  };
}

function normalizeFunction(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  const config = lowerKeys(value);
  const { triggers } = config;
  if (!Array.isArray(triggers)) return config;
  const lower = triggers.map((trigger: JsonValue) =>
    isJsonObject(trigger) ? lowerKeys(trigger) : trigger,
  );
  return { ...config, triggers: lower };
}

/** An exact lower-case key beats a key that only becomes it. */
function lowerKeys(value: JsonObject): JsonObject {
  const entries = Object.entries(value);
  const others = entries.filter(([key]) => key !== key.toLowerCase());
  const lower = entries.filter(([key]) => key === key.toLowerCase());
  const lowered = others.map(([key, field]) => [key.toLowerCase(), field] as const);
  return Object.fromEntries<JsonValue>([...lowered, ...lower]);
}

/** The end of a sentence about a value beyond a limit: what it is. */
function found(issue: z.core.$ZodIssue | undefined, value: JsonObject): string {
  if (issue?.code !== "too_big" && issue?.code !== "too_small") return "";
  const inside = (outer: unknown, key: PropertyKey): unknown =>
    typeof outer === "object" && outer !== null
      ? (outer as Readonly<Record<PropertyKey, unknown>>)[key] // proof: an object, read by any key
      : undefined;
  const at = issue.path.reduce<unknown>(inside, value);
  if (typeof at === "number") return `, it is ${at}`;
  return typeof at === "string" || Array.isArray(at) ? `, it has ${at.length}` : "";
}

/** Says which function and which field an issue is about, in the words of the app. */
function describe(issue: z.core.$ZodIssue | undefined, value: JsonObject): string {
  const path = (issue?.path ?? []).map(String);
  const message = issue?.message ?? "is malformed";
  if (path[0] !== "functions" || path[1] === undefined) {
    return `The registration: ${path.join(".") || "body"}: ${message}`;
  }
  const functions = new ObjectReader(value, toJsonText(value), "", "registration_invalid").get(
    "functions",
  );
  const config = Array.isArray(functions) ? (functions[Number(path[1])] as JsonValue) : null; // proof: zod's path
  const slug = isJsonObject(config) ? config["id"] : null;
  const label = typeof slug === "string" && slug !== "" ? `"${slug}"` : `number ${path[1]}`;
  return `Function ${label}: ${path.slice(2).join(".") || "configuration"}: ${message}`;
}

function complete(
  source: ObjectReader,
  wireFunctions: readonly WireFunction[],
  app: Omit<Registration, "functions" | "checksum">,
): Registration {
  const configs = elementsOf(source.text("functions") ?? ("[]" as JsonText)); // proof: an empty array is JSON
  const seen = new Set<string>();
  const functions = wireFunctions.map((wire, index) => {
    if (seen.has(wire.id))
      throw invalid(`Function "${wire.id}": id: another function of the app has it too.`);
    seen.add(wire.id);
    const config = configs[index] ?? ("{}" as JsonText); // proof: an empty object is JSON
    return functionOf(wire, config);
  });
  return { ...app, functions, checksum: checksumOf(app, functions) };
}

function functionOf(wire: WireFunction, config: JsonText): RegisteredFunction {
  const [step, ...more] = Object.values(wire.steps);
  if (step === undefined || more.length > 0) {
    throw invalid(`Function "${wire.id}": steps: must hold exactly one step.`);
  }
  return {
    slug: wire.id,
    name: wire.name || wire.id,
    triggers: triggersOf(wire),
    retries: step.retries?.attempts ?? topLevelRetries(wire) ?? null,
    stepUrl: step.runtime.url,
    config,
  };
}

/** Go repeats the number at the top level of the function. */
function topLevelRetries({ retries }: WireFunction): number | null | undefined {
  return typeof retries === "object" ? retries?.attempts : retries;
}

function triggersOf(wire: WireFunction): RegisteredTrigger[] {
  const seen = new Set<string>();
  const triggers: RegisteredTrigger[] = [];
  for (const [index, wireTrigger] of wire.triggers.entries()) {
    const where = `Function "${wire.id}": triggers.${index}`;
    const trigger = triggerOf(wireTrigger, where);
    const key = JSON.stringify(trigger);
    if (seen.has(key)) throw invalid(`${where}: the function has the same trigger twice.`);
    seen.add(key);
    if (trigger.kind === "cron" || trigger.event !== invokeTriggerEvent) triggers.push(trigger);
  }
  return triggers;
}

function triggerOf(
  { event, expression, cron, jitter }: WireTrigger,
  where: string,
): RegisteredTrigger {
  if (event && cron) throw invalid(`${where}: must be an event or a cron line, not both.`);
  if (cron) {
    if (!jitter) return { kind: "cron", cron };
    const jitterMs = parseDuration(jitter);
    if (jitterMs === null || jitterMs < 0)
      throw invalid(`${where}: the jitter "${jitter}" is no duration, such as 30s or 5m.`);
    return { kind: "cron", cron, jitterMs };
  }
  if (event) return { kind: "event", event, expression: expression || null };
  throw invalid(`${where}: must name an event or a cron line.`);
}

/** Over what a sync would change, so that telemetry and the order of keys and functions do not count. */
function checksumOf(
  app: Omit<Registration, "functions" | "checksum">,
  functions: readonly RegisteredFunction[],
): string {
  const { deployId: _deployId, ...identity } = app;
  const configs = functions.map(({ config }) => canonicalize(config)).toSorted();
  return sha256Hex(`${canonicalize(toJsonText(identity))}[${configs.join(",")}]`);
}

function isWebUrl(candidate: string): boolean {
  return /^(?:https?|wss?):\/\//i.test(candidate) && URL.canParse(candidate);
}

function invalid(message: string): ProtocolError {
  return new ProtocolError("registration_invalid", message);
}
