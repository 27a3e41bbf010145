import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import type { CommitQueue } from "../store/commit-queue.ts";
import type { StoreReader } from "../store/store.ts";
import type { StoreError } from "../store/store-error.ts";
import type { AckPolicy } from "./ack-policy.ts";
import type { DecodePool } from "./decode-pool.ts";
import { DeviceTwin } from "./device-twin.ts";
import type { ModuleRegistry } from "./module-registry.ts";
import type { NodeEvent } from "./node-event.ts";
import type { RefusedDevice } from "./refused-device.ts";
import { RowBuffer } from "./row-buffer.ts";
import type { Settling } from "./settling.ts";

/** What all twins of a node share. */
export interface TwinSurroundings {
  readonly reader: StoreReader;
  readonly commits: CommitQueue;
  readonly modules: ModuleRegistry;
  /** Who decodes; nobody: each lane does. */
  readonly decoding?: DecodePool | undefined;
  readonly clock: Clock;
  readonly acks: AckPolicy;
  readonly counters: Counters;
  emit(event: NodeEvent): void;
}

/** Aliases are written in this base; six digits name two thousand million devices. */
const ALIAS_BASE = 36;
/** Devices that were never taken in, and are remembered so that a person sees them. */
const MOST_UNBORN = 1_000;

/** All devices of a node, by name and by alias. */
export class TwinRegistry {
  readonly #around: TwinSurroundings;
  readonly #rows = new RowBuffer();
  readonly #byId = new Map<string, DeviceTwin>();
  readonly #byKey = new Map<number, DeviceTwin>();
  /** Admitted and not born yet, oldest first; some were born since. */
  readonly #unborn = new Set<DeviceTwin>();
  #nextKey = 1;

  /** Knows every device of the store from the start; their twins are rebuilt when they are first needed. */
  constructor(around: TwinSurroundings) {
    this.#around = around;
    for (const { id, key } of around.reader.devices()) this.#add(id, key);
  }

  all(): DeviceTwin[] {
    return [...this.#byId.values()];
  }

  get(id: string): DeviceTwin | undefined {
    return this.#byId.get(id);
  }

  /** The device that was granted this alias. */
  byAlias(alias: string): DeviceTwin | undefined {
    return this.#byKey.get(Number.parseInt(alias, ALIAS_BASE));
  }

  /** The alias that a device is granted; mirrors `byAlias`. */
  aliasOf(id: string): string | undefined {
    return this.#byId.get(id)?.key.toString(ALIAS_BASE);
  }

  /** The device whose newest boot has this nonce and knows this epoch. */
  byBoot(nonce: number, epoch: number): DeviceTwin | undefined {
    return this.all().find((twin) => twin.isBoot(nonce, epoch));
  }

  /** The device of this name, made known if it is new. */
  admit(id: string): DeviceTwin {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    this.#forgetUnborn();
    const twin = this.#add(id, this.#nextKey);
    this.#unborn.add(twin);
    return twin;
  }

  /** Devices that were heard and are not taken in, of which nothing can be shown; of new ones the newest, if they are many. */
  refused(): RefusedDevice[] {
    return this.all()
      .map((twin) => twin.refused)
      .filter((refused) => refused !== undefined);
  }

  /** Nothing of a device can be written any more. @param key  its key in the store */
  damaged(key: number, error: StoreError): void {
    this.#byKey.get(key)?.damaged(error);
  }

  /**
   * Settle every device, before any is heard: in parts, so that what waits for the store is bounded.
   *
   * @param onProgress  told after each part
   * @returns false where the store refused some of it; the next start goes on there
   * @see DeviceTwin.settle
   */
  async settle(onProgress: (progress: Settling) => void): Promise<boolean> {
    const { commits } = this.#around;
    for (const twin of this.#byId.values()) {
      for (const progress of twin.settle()) {
        onProgress(progress);
        if (!(await commits.flush())) return false;
      }
      if (commits.isFilling && !(await commits.flush())) return false;
    }
    return true;
  }

  close(): void {
    for (const twin of this.#byId.values()) twin.close();
  }

  /** Whoever makes up names takes no more memory than these. */
  #forgetUnborn(): void {
    for (const twin of this.#unborn) {
      if (twin.isBorn) this.#unborn.delete(twin);
      else if (this.#unborn.size < MOST_UNBORN) return;
      else {
        twin.close();
        this.#unborn.delete(twin);
        this.#byId.delete(twin.id);
        this.#byKey.delete(twin.key);
      }
    }
  }

  #add(id: string, key: number): DeviceTwin {
    const twin = new DeviceTwin({ id, key, alias: key.toString(ALIAS_BASE), rows: this.#rows }, this.#around);
    this.#byId.set(id, twin);
    this.#byKey.set(key, twin);
    this.#nextKey = Math.max(this.#nextKey, key + 1);
    return twin;
  }
}
