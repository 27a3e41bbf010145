import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { decodeManifest, FLASH_VERDICTS, type FlashVerdict, FrameError, type UpdateManifest } from "@lockstep/protocol";
import {
  type BootRecord,
  BUILT_IN_SLOT,
  decodeBootRecord,
  encodeBootRecord,
  firstRecord,
  TRIAL_BOOTS,
} from "./boot-record.ts";
import { CodecError } from "./core-status.ts";
import { ModuleError } from "./module-gate.ts";
import { selfTestDigest } from "./self-test.ts";
import { UpdateError } from "./update-error.ts";
import { UPDATE_ABI_VERSION, UPDATE_HEAD, UPDATE_HEAD_BYTES } from "./update-layout.ts";
import { type TrustedKey, type UpdateAction, UpdateMachine } from "./update-machine.ts";
import type { UpdateStore } from "./update-store.ts";

/** What a package for a device in module form must name. */
export const MODULE_TARGET = "module";
/** How long a device waits for the confirmation of what it tries, ms. */
export const DEFAULT_CONFIRM_MS = 300_000;
/** Where bodies begin: behind the longest head, in whole write units. */
const BODY_OFFSET = 352;
/** Of a module's only page. */
const MEMORY_LIMIT = 65_536;

/** The module that a device came with; it stays when all else fails. */
export interface BuiltInModule {
  /** Bytes of `device.wasm`. */
  readonly wasm: Uint8Array;
  /** u32, as `parseVersion` makes it. */
  readonly version: number;
}

export interface UpdateDeviceOptions {
  /** Bytes of `update.wasm`. */
  readonly machine: Uint8Array;
  readonly store: UpdateStore;
  /** 1 … 4: whose packages are taken. */
  readonly keys: readonly TrustedKey[];
  readonly builtIn: BuiltInModule;
  /** Longest wait for a confirmation, ms; {@link DEFAULT_CONFIRM_MS} unless given, 0: no limit. */
  readonly confirmMs?: number | undefined;
  /** Largest data of a chunk, a power of two; 256 unless given. */
  readonly chunkBytes?: number | undefined;
}

/** What a device runs after a boot. */
export interface BootedModule {
  readonly wasm: Uint8Array;
  readonly slot: number;
  readonly version: number;
  readonly isTrying: boolean;
}

/** The resident part of a device in module form: slots, boot record, and the machine that decides what becomes of them. */
export class UpdateDevice {
  readonly #options: UpdateDeviceOptions;
  readonly #machine: UpdateMachine;
  #record: BootRecord;
  #newest = 1;

  /** @throws {ModuleError} when the machine is no module that a device may run; {@link UpdateError} `store` */
  constructor(options: UpdateDeviceOptions) {
    this.#options = options;
    this.#machine = new UpdateMachine(options.machine);
    this.#record = this.#readRecord();
  }

  /** As it stands on the medium. */
  get record(): BootRecord {
    return this.#record;
  }

  /**
   * Boot: choose the module, count a trial's boots, begin the machine.
   *
   * @param nonce  of the link's boot
   * @throws {UpdateError} `settings`
   */
  boot(nonce: number, nowMs: number): BootedModule {
    this.#record = this.#readRecord();
    if (this.#record.triedSlot !== undefined) this.#countTrial();
    const booted = this.#choose();
    const { store, keys, confirmMs = DEFAULT_CONFIRM_MS, chunkBytes = 0 } = this.#options;
    const isSound = this.#machine.open(
      {
        abi: UPDATE_ABI_VERSION,
        nonce,
        slotBytes: store.slotBytes,
        sectorBytes: store.sectorBytes,
        writeUnit: store.writeUnit,
        bodyOffset: BODY_OFFSET,
        memoryLimit: MEMORY_LIMIT,
        confirmMs,
        runningSlot: booted.slot,
        runningForm: "module",
        runningVersion: booted.version,
        model: createHash("sha256").update(booted.wasm).digest(),
        confirmedVersion: this.#record.confirmedVersion,
        isTrying: booted.isTrying,
        sid: this.#record.sid,
        lastVerdict: this.#record.verdict,
        lastDetail: this.#record.detail,
        traps: this.#record.traps,
        chunkBytes,
        takesForm: "module",
        target: MODULE_TARGET,
        keys,
      },
      nowMs,
    );
    if (!isSound) throw new UpdateError("settings", { keys: keys.length });
    return booted;
  }

  /** Hear a message. @returns whether it was one for the machine; else it is the link's */
  receive(message: Uint8Array, nowMs: number): boolean {
    return this.#machine.receive(message, nowMs) !== 0;
  }

  /**
   * Carry out the action that is due.
   *
   * @returns "done" for one, "idle" for none, "restart" when the device must boot again
   */
  act(nowMs: number): "done" | "idle" | "restart" {
    const action = this.#machine.next(nowMs);
    if (action === undefined) return "idle";
    const [result, detail, read] = this.#carryOut(action);
    this.#machine.done(nowMs, result, detail, read);
    return result === 0 && (action.kind === "switch" || action.kind === "go-back") ? "restart" : "done";
  }

  /** The message due, if there is one. */
  poll(): Uint8Array | undefined {
    return this.#machine.poll();
  }

  /** Frames of this boot's epoch that the cloud has confirmed. */
  acknowledged(frames: number): void {
    this.#machine.acknowledged(frames);
  }

  /** What runs trapped, or hung: what is on trial is so no longer after the next boot. */
  trapped(verdict: "trapped" | "watchdog"): void {
    const { triedSlot, traps } = this.#record;
    const ending = triedSlot === undefined ? {} : this.#goneBack(FLASH_VERDICTS.indexOf(verdict), 0);
    this.#write({ ...ending, traps: Math.min(traps + 1, 0xffff) });
  }

  /** The module in a slot, if a whole one of a sound package is there. */
  moduleIn(slot: number): { readonly wasm: Uint8Array; readonly version: number } | undefined {
    if (slot === BUILT_IN_SLOT) return this.#options.builtIn;
    const manifest = this.#manifestIn(slot);
    if (manifest === undefined || manifest.length > this.#options.store.slotBytes - BODY_OFFSET) return undefined;
    const wasm = this.#options.store.read(slot, BODY_OFFSET, manifest.length);
    const isWhole = createHash("sha256").update(wasm).digest("hex") === manifest.sha256;
    return isWhole ? { wasm, version: manifest.version } : undefined;
  }

  #countTrial(): void {
    const { bootsLeft } = this.#record;
    if (bootsLeft > 0) this.#write({ bootsLeft: bootsLeft - 1 });
    else this.#write(this.#goneBack(FLASH_VERDICTS.indexOf("not-confirmed"), 0));
  }

  #choose(): BootedModule {
    const { keptSlot, triedSlot } = this.#record;
    const tried = triedSlot === undefined ? undefined : this.moduleIn(triedSlot);
    if (triedSlot !== undefined && tried !== undefined) return { ...tried, slot: triedSlot, isTrying: true };
    if (triedSlot !== undefined) this.#write(this.#goneBack(FLASH_VERDICTS.indexOf("flash-failed"), 0));
    const kept = this.moduleIn(keptSlot);
    if (kept !== undefined) return { ...kept, slot: keptSlot, isTrying: false };
    return { ...this.#options.builtIn, slot: BUILT_IN_SLOT, isTrying: false };
  }

  #manifestIn(slot: number): UpdateManifest | undefined {
    const head = this.#options.store.read(slot, 0, UPDATE_HEAD_BYTES);
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const end = UPDATE_HEAD.MANIFEST + view.getUint16(UPDATE_HEAD.MANIFEST_LENGTH, true);
    if (end > head.length || view.getUint32(UPDATE_HEAD.CRC, true) !== crc32(head.subarray(4, end))) return undefined;
    try {
      return decodeManifest(head.subarray(UPDATE_HEAD.MANIFEST, end));
    } catch (error) {
      if (error instanceof FrameError) return undefined;
      throw error;
    }
  }

  #carryOut(action: UpdateAction): readonly [result: number, detail: number, read?: Uint8Array] {
    const { store } = this.#options;
    switch (action.kind) {
      case "erase":
        store.erase(action.slot, action.address);
        return [0, 0];
      case "program":
        store.program(action.slot, action.address, action.bytes);
        return [0, 0];
      case "read":
        return [0, 0, store.read(action.slot, action.address, action.length)];
      case "test":
        return [FLASH_VERDICTS.indexOf(this.#test(action.slot)), 0];
      case "switch":
        this.#write({ triedSlot: action.slot, bootsLeft: TRIAL_BOOTS, sid: action.sid, verdict: 0, detail: 0 });
        return [0, 0];
      case "keep":
        this.#write({
          keptSlot: action.slot,
          triedSlot: undefined,
          confirmedVersion: action.version,
          verdict: 0,
          detail: 0,
        });
        return [0, 0];
      case "go-back":
        this.#write(this.#goneBack(action.verdict, action.detail));
        return [0, 0];
      case "work":
        return [0, 0];
    }
  }

  /** Run the candidate on the samples that its manifest names. */
  #test(slot: number): FlashVerdict {
    const { length, test } = this.#machine.candidate;
    const wasm = this.#options.store.read(slot, BODY_OFFSET, length);
    try {
      const digest = selfTestDigest(wasm, test.channels, test.samples, test.seed);
      return digest === Buffer.from(test.digest).toString("hex") ? "none" : "self-test-differs";
    } catch (error) {
      if (error instanceof ModuleError) return "module-refused";
      return error instanceof CodecError ? "self-test-differs" : "trapped";
    }
  }

  #goneBack(verdict: number, detail: number): Partial<BootRecord> {
    return { triedSlot: undefined, bootsLeft: 0, verdict, detail };
  }

  #write(change: Partial<BootRecord>): void {
    const record = { ...this.#record, ...change, sequence: (this.#record.sequence + 1) >>> 0 };
    // A write that fails may have torn its copy: the other one is the only one until a write has come through.
    this.#options.store.writeRecord(1 - this.#newest, encodeBootRecord(record));
    this.#newest = 1 - this.#newest;
    this.#record = record;
  }

  #readRecord(): BootRecord {
    const [first, second] = [0, 1].map((copy) => decodeBootRecord(this.#options.store.readRecord(copy)));
    const isSecond = second !== undefined && (first === undefined || ((second.sequence - first.sequence) | 0) > 0);
    this.#newest = isSecond || first === undefined ? 1 : 0;
    return (isSecond ? second : first) ?? firstRecord(this.#options.builtIn.version);
  }
}
