// How the test's process starts the apps of this folder, and how they say that they serve.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface TracedApp {
  readonly serverUrl: string;
  /** Null: development. */
  readonly signingKey: string | null;
  readonly checkpointing: boolean;
}

export const settings = JSON.parse(process.env["TRACED_APP"] ?? "null") as TracedApp; // proof: written by the test's process

export function listening(server: Server): void {
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo; // proof: a TCP server that listens has one
    process.send?.({ url: `http://127.0.0.1:${String(port)}/api/inngest` });
  });
}
