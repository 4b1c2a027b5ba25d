// Answers GET: what people and servers may know about the app (protocol.md 1.5).
import type { Service } from "./service.ts";
import { fingerprint } from "./authenticity.ts";
import { json, type ServeResponse } from "./messages.ts";
import { sdkVersion } from "../version.ts";

/** What the app offers a server (protocol.md 1.2). */
export const capabilities = { trust_probe: "v1", in_band_sync: "v1" };

/** The introspection object; requests that reach this outside of dev mode are authentic. */
export function introspection(service: Service, authenticated: boolean) {
  const { connection, functions } = service;
  const [key, fallback] = connection.signingKeys;
  const open = {
    extra: { native_crypto: true },
    function_count: functions.length,
    has_event_key: connection.eventKey !== null,
    has_signing_key: key !== undefined,
    mode: connection.isDev ? "dev" : "cloud",
    schema_version: "2024-05-24",
  };
  if (!authenticated) return { ...open, authentication_succeeded: null };
  return {
    ...open,
    authentication_succeeded: true,
    api_origin: connection.baseUrl,
    app_id: connection.appId,
    capabilities,
    env: connection.env,
    event_api_origin: connection.baseUrl,
    event_key_hash: fingerprint("event", connection.eventKey),
    framework: service.framework,
    sdk_language: "js",
    sdk_version: sdkVersion,
    serve_origin: service.serveOrigin,
    serve_path: service.servePath,
    signing_key_hash: fingerprint("signing", key),
    signing_key_fallback_hash: fingerprint("signing", fallback),
  };
}

/** In dev mode nobody is authenticated; elsewhere only authentic requests come this far. */
export function introspect(service: Service): ServeResponse {
  return json(200, introspection(service, !service.connection.isDev));
}
