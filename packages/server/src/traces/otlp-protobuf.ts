// OTLP traces in protobuf, from and to the JSON mapping of the messages. Only the fields that are read are
// described here, by their numbers in opentelemetry/proto/trace/v1; others are skipped. It must not know
// what spans mean. Imports the protobuf library, so it is loaded when the first such request comes.
import {
  create,
  createFileRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
  type JsonValue,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
const scalars = {
  string: FieldDescriptorProto_Type.STRING,
  bytes: FieldDescriptorProto_Type.BYTES,
  bool: FieldDescriptorProto_Type.BOOL,
  double: FieldDescriptorProto_Type.DOUBLE,
  int64: FieldDescriptorProto_Type.INT64,
  fixed64: FieldDescriptorProto_Type.FIXED64,
  // Enums are read as the numbers they are on the wire.
  enum: FieldDescriptorProto_Type.INT32,
} as const;

/** Number and type; a name in upper case is another message, `*` behind it a list of them. */
type Field = readonly [number: number, type: string];

const messages: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  Request: { resourceSpans: [1, "ResourceSpans*"] },
  ResourceSpans: { resource: [1, "Resource"], scopeSpans: [2, "ScopeSpans*"] },
  Resource: { attributes: [1, "KeyValue*"] },
  ScopeSpans: { scope: [1, "Scope"], spans: [2, "Span*"] },
  Scope: { name: [1, "string"], version: [2, "string"] },
  Span: {
    traceId: [1, "bytes"],
    spanId: [2, "bytes"],
    parentSpanId: [4, "bytes"],
    name: [5, "string"],
    kind: [6, "enum"],
    startTimeUnixNano: [7, "fixed64"],
    endTimeUnixNano: [8, "fixed64"],
    attributes: [9, "KeyValue*"],
    events: [11, "Event*"],
    links: [13, "Link*"],
    status: [15, "Status"],
  },
  Event: { timeUnixNano: [1, "fixed64"], name: [2, "string"], attributes: [3, "KeyValue*"] },
  Link: { traceId: [1, "bytes"], spanId: [2, "bytes"], attributes: [4, "KeyValue*"] },
  Status: { message: [2, "string"], code: [3, "enum"] },
  KeyValue: { key: [1, "string"], value: [2, "AnyValue"] },
  AnyValue: {
    stringValue: [1, "string"],
    boolValue: [2, "bool"],
    intValue: [3, "int64"],
    doubleValue: [4, "double"],
    arrayValue: [5, "ArrayValue"],
    kvlistValue: [6, "KeyValueList"],
    bytesValue: [7, "bytes"],
  },
  ArrayValue: { values: [1, "AnyValue*"] },
  KeyValueList: { values: [1, "KeyValue*"] },
  Response: { partialSuccess: [1, "PartialSuccess"] },
  PartialSuccess: { rejectedSpans: [1, "int64"], errorMessage: [2, "string"] },
};

/** Exactly one of its fields is set, so that an empty text can be told from none. */
const choice = "AnyValue";

const registry = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: "otlp.proto",
    package: "otlp",
    syntax: "proto3",
    messageType: Object.entries(messages).map(([name, fields]) => ({
      name,
      oneofDecl: name === choice ? [{ name: "value" }] : [],
      field: Object.entries(fields).map(([field, [number, type]]) => ({
        name: field,
        jsonName: field,
        number,
        label: type.endsWith("*")
          ? FieldDescriptorProto_Label.REPEATED
          : FieldDescriptorProto_Label.OPTIONAL,
        ...typeOf(type.replace("*", "")),
        ...(name === choice ? { oneofIndex: 0 } : null),
      })),
    })),
  }),
  () => undefined,
);
const requestType = messageType("Request");
const responseType = messageType("Response");

function typeOf(type: string): { type: FieldDescriptorProto_Type; typeName?: string } {
  const scalar = Object.entries(scalars).find(([name]) => name === type)?.[1];
  if (scalar !== undefined) return { type: scalar };
  return { type: FieldDescriptorProto_Type.MESSAGE, typeName: `.otlp.${type}` };
}

function messageType(name: string): DescMessage {
  const found = registry.getMessage(`otlp.${name}`);
  if (found === undefined) throw new Error(`there is no message ${name}`);
  return found;
}

/** An `ExportTraceServiceRequest` in JSON mapping; bytes, and so ids, are base64. Throws on other bytes. */
export function requestFromProtobuf(bytes: Uint8Array): JsonValue {
  return toJson(requestType, fromBinary(requestType, bytes));
}

/** The bytes of an `ExportTraceServiceResponse`. */
export function responseToProtobuf(response: JsonValue): Uint8Array {
  return toBinary(responseType, fromJson(responseType, response));
}
