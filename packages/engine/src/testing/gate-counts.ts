// The invariant of gates, for tests: what memory counts is what the jobs of all runs say, and no
// gate lets more calls out than the function's limit allows.
import assert from "node:assert/strict";
import { limitOf } from "../flow/concurrency.ts";
import { gateOfQueue, gatesOf, placedGates } from "../gate.ts";
import type { World } from "./world.ts";

/** Asserts exact counts, and limits: those of all functions that have calls out at a gate. */
export function assertGates(world: World): void {
  const inFlight = new Map<string, number>();
  const placed = new Map<string, number>();
  const queued = new Map<string, number>();
  const limits = new Map<string, number>();
  for (const id of world.runIds()) {
    const { run, jobs } = world.run(id);
    for (const job of jobs.values()) {
      if (job.kind !== "call") continue;

      for (const gate of placedGates(run, job, world.state.settings.epoch)) add(placed, gate);
      if (job.state.at === "queued") add(queued, job.state.gate);
      if (job.state.at !== "leased") continue;
      for (const gate of gatesOf(run, job)) {
        add(inFlight, gate);
        const limit = limitOf(world.state, gate, run.functionId);
        limits.set(gate, Math.max(limits.get(gate) ?? 0, limit));
      }
    }
  }
  const known = new Set(world.state.gateKeys());
  for (const gate of new Set([...known, ...placed.keys()])) {
    assert.equal(world.state.gate(gate).inFlight, placed.get(gate) ?? 0, `places at ${gate}`);
    const limit = limits.get(gate) ?? Infinity;
    assert.ok((inFlight.get(gate) ?? 0) <= limit, `${gate} lets out no more than ${limit}`);
    assert.equal(
      world.state.gate(gate).queued,
      [...world.state.queues(gate).values()].reduce((sum, count) => sum + count, 0),
    );
  }
  for (const gate of known)
    for (const [queue, count] of world.state.queues(gate)) assert.equal(queued.get(queue), count);
  for (const queue of queued.keys()) assert.ok(known.has(gateOfQueue(queue)), queue);
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
