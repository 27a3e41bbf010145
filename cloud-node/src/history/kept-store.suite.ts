import { birthHash } from "@lockstep/protocol";
import { Counters } from "../counters.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { planBirth } from "../reconstructor/birth-plan.ts";
import { testModules } from "../reconstructor/encoded-device.suite.ts";
import { Lane } from "../reconstructor/lane.ts";
import { RowBuffer } from "../reconstructor/row-buffer.ts";
import { CommitQueue } from "../store/commit-queue.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { ScriptedDevice, ScriptedFrame, TrueRow } from "./scripted-device.suite.ts";

const KEY = 1;
const COMMIT_MS = 10;

/** A store that lanes fill, as in a node, and what a history of it must say. */
export class KeptStore {
  readonly truth: TrueRow[] = [];
  readonly counters = new Counters();
  readonly clock = new ManualClock();
  readonly #file: string;
  #store: SqliteStore;
  #commits: CommitQueue;
  readonly #lanes = new Map<number, Lane>();
  readonly #wrap: (store: Store) => Store;

  /** @param wrap  puts something between the lanes and the store */
  constructor(file: string, wrap: (store: Store) => Store = (store) => store) {
    this.#file = file;
    this.#wrap = wrap;
    this.#store = new SqliteStore(file);
    this.#commits = this.#newCommits();
  }

  get store(): SqliteStore {
    return this.#store;
  }

  /** Let a boot of the device begin. */
  birth({ birth, birthBytes, epoch }: ScriptedDevice): void {
    const hash = birthHash(birth);
    for (const lane of this.#lanes.values()) lane.superseded();
    this.#commits.record({ table: "device", id: birth.device, key: KEY });
    this.#commits.record({ table: "birth", device: KEY, hash, bytes: birthBytes });
    const openedUs = this.clock.unixUs();
    this.#commits.record({ table: "epoch", device: KEY, epoch, nonce: birth.nonce, birthHash: hash, openedUs });
    this.#lanes.set(epoch, this.#newLane(birth, epoch));
  }

  receive({ birth, epoch }: ScriptedDevice, { seq, frame, bytes, rows }: ScriptedFrame): void {
    let lane = this.#lanes.get(epoch);
    if (lane === undefined) {
      lane = this.#newLane(birth, epoch);
      lane.rebuild(this.#store.reader);
      this.#lanes.set(epoch, lane);
    }
    lane.receive(seq, frame, bytes, this.clock.nowMs());
    this.truth.push(...rows);
  }

  /** The device says that it has nothing below its next frame any more. */
  giveUp(device: ScriptedDevice): void {
    const { nonce } = device.birth;
    const head = { kind: "status", nonce, epoch: device.epoch, oldest: device.next, next: device.next } as const;
    this.#lanes.get(device.epoch)?.status({ ...head, evicted: 0, ringFill: 0, timeUs: 0 }, this.clock.nowMs());
  }

  /** Until everything is durable. */
  async commit(): Promise<void> {
    this.#commits.hurry();
    for (let turns = 0; ; turns++) {
      this.clock.advance(COMMIT_MS);
      if (turns > 2 && [...this.#lanes.values()].every((lane) => lane.ledger.isSettled)) break;
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
  }

  /** End the node, as if at this moment, and start it again. */
  async restart(): Promise<void> {
    await this.close();
    this.#store = new SqliteStore(this.#file);
    this.#commits = this.#newCommits();
  }

  async close(): Promise<void> {
    for (const lane of this.#lanes.values()) lane.close();
    this.#lanes.clear();
    await this.#commits.close();
    await this.#store.close();
  }

  #newCommits(): CommitQueue {
    const ignore = () => {};
    const heard = { onFailure: ignore, onFull: ignore, onRoom: ignore };
    return new CommitQueue({ store: this.#wrap(this.#store), clock: this.clock, commitMs: COMMIT_MS, ...heard });
  }

  #newLane(birth: ScriptedDevice["birth"], epoch: number): Lane {
    const plan = planBirth(birth, testModules());
    if (typeof plan === "string") throw new RangeError(plan);
    return new Lane(epoch, {
      device: birth.device,
      key: KEY,
      plans: (hash) => (hash === plan.hash ? plan : undefined),
      rows: new RowBuffer(),
      commits: this.#commits,
      clock: this.clock,
      acks: { everyFrames: 16, ageMs: 1_000 },
      counters: this.counters,
      reply: () => {},
      refuse: () => {},
      emit: () => {},
    });
  }
}
