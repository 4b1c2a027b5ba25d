// The version of this package, as it travels in `x-inngest-sdk`. A test compares it with
// package.json, which bundles for edge runtimes cannot read.

/** As in package.json. */
export const sdkVersion = "0.1.0";

/** How this SDK names itself to servers. */
export const sdkName = `pawl-js:v${sdkVersion}`;
