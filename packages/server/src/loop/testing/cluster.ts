// Several servers in one process over one store, each with shards of its own: what a database that
// is shared will look like to the loop. Each has an epoch, so that leases and mail tell them apart;
// a server can die at any commit, and mail can come late, twice, or long after it was decided.
import { owns, shardCount, type OwnedShards } from "@pawl/engine/shard";
import { defaultSettings } from "@pawl/engine/settings";
import type { Answer } from "@pawl/protocol/answer";
import type { DueMail, Fence, Store } from "@pawl/store/store";
import type { Call } from "../../driver/driver.ts";
import type { CommandInput } from "../batch.ts";
import { silentLog } from "../log.ts";
import { startRuntime, type Runtime } from "../runtime.ts";
import { ScriptedDriver } from "./fixtures.ts";
import { rest, type VirtualClock } from "./virtual-clock.ts";

export interface ClusterOptions {
  /** The server of each shard, by number. */
  readonly owners: readonly number[];
  /** The app of all servers. */
  readonly script: (call: Call) => Answer | Promise<Answer>;
  /** Whether mail that was taken is delivered again and again. */
  readonly repeatsMail?: boolean;
  /** Whether servers hear of mail at once, rather than by looking. */
  readonly tellsOfMail?: boolean;
}

/** A server of the cluster; another takes its shards when it has died. */
class Member {
  readonly shards: OwnedShards;
  readonly store: Store;
  readonly driver: ScriptedDriver;
  runtime: Runtime | null = null;
  /** Commits until it dies, right behind the last; null: it lives on. */
  commitsLeft: number | null = null;
  isDead = false;
  mailsPut = 0;
  readonly #seen: DueMail[] = [];

  constructor(
    shared: Store,
    fence: Fence,
    epoch: number,
    shards: OwnedShards,
    options: ClusterOptions,
  ) {
    this.shards = shards;
    this.driver = new ScriptedDriver(options.script);
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      const result = this.isDead ? null : await work();
      // What a dead process asked for is never answered.
      return this.isDead || result === null ? new Promise<T>(() => undefined) : result;
    };
    // proof: the answers are those of the shared store, mail aside.
    const due = ((query: Parameters<Store["due"]>[0]) =>
      alive(async () => {
        const found = await shared.due(query);
        if (query.kind !== "mail" || options.repeatsMail !== true) return found;
        const mails = found as readonly DueMail[]; // proof: the query's kind
        this.#seen.push(...mails);
        return [...mails, ...mails, ...this.#seen.slice(-20)];
      })) as Store["due"];
    this.store = {
      open: async () => ({ epoch }),
      load: (needs) => alive(() => shared.load(needs)),
      due,
      list: (query) => alive(() => shared.list(query)),
      commit: (changes) =>
        alive(async () => {
          await shared.commit(changes, fence);
          this.mailsPut += changes.filter(({ type }) => type === "mail.put").length;
          if (this.commitsLeft !== null && --this.commitsLeft <= 0) this.isDead = true;
        }),
      watch: (listener) => shared.watch(listener),
      close: async () => undefined,
    };
  }
}

export class Cluster {
  readonly clock: VirtualClock;
  readonly members: Member[] = [];
  /** Servers that have died. */
  deaths = 0;
  /** Messages that went from one server to another, or were put off. */
  get mailsPut(): number {
    return [...this.members, ...this.#dead].reduce((sum, member) => sum + member.mailsPut, 0);
  }
  readonly #dead: Member[] = [];
  readonly #store: Store;
  readonly #fence: Fence;
  readonly #options: ClusterOptions;
  #epoch: number;

  /** The store is open, with this fence, and knows the apps. */
  constructor(store: Store, fence: Fence, clock: VirtualClock, options: ClusterOptions) {
    this.#store = store;
    this.#fence = fence;
    this.#options = options;
    this.#epoch = fence.epoch;
    this.clock = clock;
  }

  /** Has a server that owns everything take a command before the others start. */
  async register(command: CommandInput): Promise<void> {
    const member = await this.#make(null);
    await member.runtime?.submit(command);
    await this.#end(member);
  }

  /** `deaths`: after how many of its commits each server dies, once. */
  async start(deaths: readonly (number | null)[]): Promise<void> {
    const { owners } = this.#options;
    const count = Math.max(...owners) + 1;
    for (let number = 0; number < count; number++) {
      const shards = Array.from({ length: shardCount }, (_, shard) => shard);
      const member = await this.#make(new Set(shards.filter((shard) => owners[shard] === number)));
      member.commitsLeft = deaths[number] ?? null;
      this.members[number] = member;
    }
  }

  /** A server takes events wherever they arrive. */
  runtime(number: number): Runtime {
    const runtime = this.members[number % this.members.length]?.runtime ?? null;
    if (runtime === null) throw new Error(`server ${number} has not started`);
    return runtime;
  }

  /** Lets time pass; the shards of servers that died are taken over by new ones. */
  async advance(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      await this.clock.advance(500);
      for (const [number, member] of this.members.entries()) {
        if (!member.isDead) continue;
        await this.#bury(member);
        this.members[number] = await this.#make(member.shards);
      }
    }
  }

  async stop(): Promise<void> {
    for (const member of this.members) await this.#end(member);
  }

  async #bury(member: Member): Promise<void> {
    this.deaths++;
    this.#dead.push(member);
    await this.#end(member);
  }

  async #end(member: Member): Promise<void> {
    const stopped = member.runtime?.stop();
    await rest();
    await stopped;
  }

  async #make(shards: OwnedShards): Promise<Member> {
    const epoch = ++this.#epoch;
    const member = new Member(this.#store, this.#fence, epoch, shards, this.#options);
    let seeds = 0;
    member.runtime = await startRuntime({
      store: member.store,
      settings: defaultSettings,
      drivers: [member.driver],
      clock: this.clock,
      seeds: () => [++seeds, epoch, 3, 4],
      log: silentLog,
      onFatal: (error) => {
        throw error;
      },
      owned: shards,
      mailed: (shard) => this.#tell(shard),
    });
    return member;
  }

  #tell(shard: number): void {
    if (this.#options.tellsOfMail !== true) return;
    for (const { shards, runtime } of this.members) if (owns(shards, shard)) runtime?.wakeMailbox();
  }
}
