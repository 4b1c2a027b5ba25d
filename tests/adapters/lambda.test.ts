// The adapter for AWS Lambda with events in the shapes that AWS documents and sends: REST APIs
// (version 1, with a stage), HTTP APIs and function URLs (version 2), bodies plain and as base64.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serve, type LambdaEventV1, type LambdaEventV2, type LambdaResult } from "pawl/lambda";
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  LambdaFunctionURLHandler,
} from "aws-lambda";
import { adapterContract, callBody, makeApp } from "./support/contract.ts";
import type { Site } from "./support/site.ts";

type Convert<Event> = (request: Request, body: string, base64: boolean) => Event;

const domain = "abc123.execute-api.eu-central-1.amazonaws.com";

/** A proxy event of a REST API: the stage is in `requestContext.path` only. */
const version1: Convert<LambdaEventV1> = (request, body, base64) => {
  const url = new URL(request.url);
  const query = [...url.searchParams];
  return {
    resource: "/{proxy+}",
    path: url.pathname.replace(/^\/prod/, ""),
    httpMethod: request.method,
    // As REST APIs do: names as the client wrote them.
    headers: Object.fromEntries(
      [...request.headers, ["Host", url.host]].map(([name = "", value = ""]) => [
        name.replace(/^x-/, "X-"),
        value,
      ]),
    ),
    queryStringParameters: query.length === 0 ? null : Object.fromEntries(query),
    multiValueQueryStringParameters:
      query.length === 0 ? null : Object.fromEntries(query.map(([name, value]) => [name, [value]])),
    requestContext: { path: url.pathname, stage: "prod", domainName: domain, httpMethod: "ANY" },
    body: body === "" ? null : encode(body, base64),
    isBase64Encoded: base64 && body !== "",
  };
};

/** An event of an HTTP API or a function URL: names in lower case, the query as it was sent. */
const version2: Convert<LambdaEventV2> = (request, body, base64) => {
  const url = new URL(request.url);
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: {
      ...Object.fromEntries(request.headers),
      host: url.host,
      "x-forwarded-proto": "https",
    },
    requestContext: {
      accountId: "anonymous",
      domainName: domain,
      http: { method: request.method, path: url.pathname, protocol: "HTTP/1.1" },
      stage: "$default",
    },
    ...(body === "" ? {} : { body: encode(body, base64) }),
    isBase64Encoded: base64 && body !== "",
  };
};

function encode(body: string, base64: boolean): string {
  return base64 ? Buffer.from(body).toString("base64") : body;
}

/** What the gateway does: builds the event as JSON, and an HTTP answer from the result. */
function behind(
  url: string,
  answer: (request: Request, body: string) => Promise<LambdaResult>,
): Site {
  return {
    url,
    fetch: async (request) => {
      const result = await answer(request, await request.text());
      assert.equal(result.isBase64Encoded, false);
      return new Response(result.body, { status: result.statusCode, headers: result.headers });
    },
    close: () => Promise.resolve(),
  };
}

const overJson = <Event>(event: Event): Event => JSON.parse(JSON.stringify(event)) as Event; // proof: events are JSON

for (const base64 of [false, true]) {
  const how = base64 ? "base64" : "plain";
  adapterContract(`lambda, REST API with a stage, ${how}`, "aws-lambda", (options) => {
    const handler = serve(options);
    const site = behind(`https://${domain}/prod/api/pawl`, (request, body) =>
      handler(overJson(version1(request, body, base64))),
    );
    return Promise.resolve(site);
  });
  adapterContract(`lambda, HTTP API or function URL, ${how}`, "aws-lambda", (options) => {
    const handler = serve(options);
    const site = behind("https://abc.lambda-url.eu-central-1.on.aws/api/pawl", (request, body) =>
      handler(overJson(version2(request, body, base64))),
    );
    return Promise.resolve(site);
  });
}

test("lambda: the types are those of @types/aws-lambda", () => {
  const handler = serve(makeApp("dev").options);
  const takesEvents: (event: APIGatewayProxyEvent | APIGatewayProxyEventV2) => unknown = handler;
  const isHandler: LambdaFunctionURLHandler = handler;
  assert.equal(takesEvents, isHandler);
});

test("lambda: a REST event with single values only, as test consoles send it", async () => {
  const handler = serve(makeApp("dev").options);
  const result = await handler({
    httpMethod: "POST",
    path: "/api/pawl",
    headers: null,
    queryStringParameters: { fnId: "shop-greet", stepId: "step" },
    body: callBody("hello"),
    isBase64Encoded: false,
  });
  assert.equal(result.statusCode, 206);
});
