// Answers PUT: tells the server which functions there are, in the answer itself or by a request of
// its own (protocol.md 1.1 to 1.4).
import {
  headerExpectedServerKind,
  headerFramework,
  headerServerKind,
  headerSyncKind,
} from "@pawl/protocol/headers";
import type { FunctionConfig } from "../functions/registration.ts";
import { sdkName, sdkVersion } from "../version.ts";
import type { Service } from "./service.ts";
import { capabilities, introspection } from "./introspect.ts";
import { json, type ServeRequest, type ServeResponse } from "./messages.ts";
import { requestApi } from "./server-api.ts";

/** See the head of this file. Requests that reach this are authentic, or the app is in dev mode. */
export async function answerSync(service: Service, request: ServeRequest): Promise<ServeResponse> {
  if (request.header(headerSyncKind) === "in_band") return answerInBand(service, request);
  return registerOutOfBand(service, request);
}

/** Where the server reaches the app: as asked for, corrected by what the app was told. */
function serveUrl(service: Service, requestUrl: string): string {
  const url = new URL(requestUrl);
  url.search = "";
  url.hash = "";
  if (service.servePath !== null) url.pathname = service.servePath;
  if (service.serveOrigin === null) return url.href;
  return new URL(url.pathname, service.serveOrigin).href;
}

function configs({ functions }: Service, url: string): FunctionConfig[] {
  return functions.flatMap((each) => each.register(url));
}

function answerInBand(service: Service, request: ServeRequest): ServeResponse {
  const { connection, framework } = service;
  const url = serveUrl(service, askedUrl(request) ?? request.url);
  const body = {
    app_id: connection.appId,
    capabilities,
    env: connection.env,
    framework,
    functions: configs(service, url),
    inspection: introspection(service, true),
    platform: null,
    sdk_author: "pawl",
    sdk_language: "js",
    sdk_version: sdkVersion,
    sdk: sdkName,
    url,
  };
  return json(200, body, { [headerSyncKind]: "in_band" });
}

/** The URL by which the server knows the app, from the body of its request. */
function askedUrl(request: ServeRequest): string | null {
  try {
    const body: unknown = JSON.parse(request.body);
    if (body === null || typeof body !== "object" || !("url" in body)) return null;
    return typeof body.url === "string" ? new URL(body.url).href : null;
  } catch {
    return null;
  }
}

async function registerOutOfBand(service: Service, request: ServeRequest): Promise<ServeResponse> {
  const { connection, framework } = service;
  const url = serveUrl(service, request.url);
  const deployId = new URL(request.url).searchParams.get("deployId");
  const registration = {
    url,
    deployType: "ping",
    framework,
    appName: connection.appId,
    functions: configs(service, url),
    sdk: sdkName,
    v: "0.1",
    capabilities,
    ...(deployId === null ? {} : { deployId }),
  };
  const query = deployId === null ? "" : `?deployId=${encodeURIComponent(deployId)}`;
  const kind = request.header(headerServerKind);
  const headers = {
    [headerFramework]: framework,
    [headerSyncKind]: "out_of_band",
    ...(kind === null ? {} : { [headerExpectedServerKind]: kind }),
  };
  const body = JSON.stringify(registration);
  try {
    const answer = await requestApi(connection, "POST", `/fn/register${query}`, body, headers);
    return readRegistered(answer.status, answer.text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return json(500, { message, modified: false });
  }
}

function readRegistered(status: number, text: string): ServeResponse {
  let answer: { modified?: unknown; error?: unknown } = {};
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === "object") answer = value;
  } catch {
    // The status decides; without JSON there is only less to tell.
  }
  if (status >= 200 && status < 300) {
    return json(200, { message: "Successfully registered", modified: answer.modified === true });
  }
  const reason = typeof answer.error === "string" ? answer.error : `the server answered ${status}`;
  return json(500, { message: `Registration failed: ${reason}`, modified: false });
}
