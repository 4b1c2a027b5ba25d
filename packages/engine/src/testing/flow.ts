// Short ways to test flow control: one app, functions by their options, events one ms apart.
import assert from "node:assert/strict";
import type { Settings } from "../settings.ts";
import { World } from "./world.ts";

/** Functions by slug, with their flow control. */
export type Functions = Readonly<Record<string, object>>;

export function worldWith(functions: Functions, settings: Partial<Settings> = {}): World {
  const world = new World(settings);
  register(world, functions);
  return world;
}

/** Registers the functions as they are now; others of before are gone. */
export function register(world: World, functions: Functions): void {
  const reply = world.sync(
    "app",
    Object.entries(functions).map(([slug, options]) => World.flow(slug, options)),
  );
  assert.ok(reply.ok, reply.ok ? "" : reply.message);
}

export function only(ids: readonly string[]): string {
  assert.equal(ids.length, 1);
  return ids[0] ?? "";
}

/** Sends an event that starts one run, a ms later: calls of one ms have no order. */
export function start(world: World, name: string, data: object = {}): string {
  world.at++;
  return only(world.send(name, data));
}

/** Status of each run. */
export function statuses(world: World, ids: readonly string[]): string[] {
  return ids.map((id) => world.run(id).run.status);
}

/** Where the first call of each run stands. */
export function states(world: World, ids: readonly string[]): string[] {
  return ids.map((id) => world.call(id).state.at);
}
