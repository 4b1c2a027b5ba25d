// Free ports on loopback.
import { createServer } from "node:net";

/** A port on which nobody listens just now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve(address.port);
    });
  });
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}
