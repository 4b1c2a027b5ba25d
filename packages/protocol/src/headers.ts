// Names of the HTTP headers that server and SDKs exchange (protocol.md 1.2, 2.1, 2.3, 3, 4), in
// lower case. What a header does is told where it is read or written.

/** `t=<unix seconds>&s=<hex hmac>`; see `signature.ts`. */
export const headerSignature = "x-inngest-signature";
/** `dev` or `cloud`, on every request and response of the server. */
export const headerServerKind = "x-inngest-server-kind";
/** The server kind that an app saw in the PUT which made it register. */
export const headerExpectedServerKind = "x-inngest-expected-server-kind";
/** `in_band` or `out_of_band`. */
export const headerSyncKind = "x-inngest-sync-kind";
/** `inngest-js:v4.24.0`, `go:v0.16.0`, `pawl-js:v0.1.0`: marks an answer as an SDK's. */
export const headerSdk = "x-inngest-sdk";
/** Present on answers of newer SDKs even when they hide everything else. */
export const headerSdkHandled = "x-inngest-sdk-handled";
export const headerFramework = "x-inngest-framework";
export const headerPlatform = "x-inngest-platform";
/** Name of the branch environment. */
export const headerEnv = "x-inngest-env";
/** Execution version of an answer (protocol.md 2.4). */
export const headerRequestVersion = "x-inngest-req-version";
/** `true` or `false`; beats the status in the decision about a retry. */
export const headerNoRetry = "x-inngest-no-retry";
/** Seconds, or a date. */
export const headerRetryAfter = "retry-after";
/** `<ms>,<base64 of 10 random bytes>`: makes a resent request yield the same event ids. */
export const headerEventIdSeed = "x-inngest-event-id-seed";
/** The dispatch id of a call: a ULID. */
export const headerRequestId = "x-request-id";
export const headerJobId = "x-inngest-job-id";
/** The dispatch generation of a call: an integer. */
export const headerGenerationId = "x-inngest-generation-id";
/** The run for which an endpoint is called again; its presence tells that from a first request. */
export const headerRunId = "x-run-id";
/** `step`, or the hashed id of the one step to run, where no body can say it. */
export const headerStepId = "x-inngest-step-id";
/** `true` or `false`: `disable_immediate_execution` where no body can say it. */
export const headerForceStepPlan = "x-inngest-force-step-plan";
export const headerTraceParent = "traceparent";
export const headerTraceState = "tracestate";
export const headerServerTiming = "server-timing";
