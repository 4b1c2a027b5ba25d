// Waits for apps to be known to a development server.
import type { Api } from "../support/api.ts";
import { eventually } from "../support/poll.ts";

/** An app as `GET /dev` lists it, as far as tests look. */
export interface KnownApp {
  readonly name: string;
  readonly url: string;
  readonly error: string | null;
  readonly functions: readonly string[];
}

/** The apps that the server knows. */
export async function knownApps(api: Api): Promise<readonly KnownApp[]> {
  const { body } = await api.request("GET", "/dev");
  return (body as { handlers: KnownApp[] }).handlers; // proof: protocol.md 1.6
}

/** Waits until the server knows functions of all these apps. */
export async function registered(api: Api, names: readonly string[]): Promise<void> {
  await eventually(`the apps ${names.join(", ")} are registered`, async () => {
    const known = (await knownApps(api)).filter(({ functions }) => functions.length > 0);
    return names.every((wanted) => known.some(({ name }) => name === wanted));
  });
}
