import type { FlashAlgorithm, UpdateForm } from "@lockstep/protocol";
import { UPDATE_FORMS } from "@lockstep/protocol";
import { checkModule, copyModule, DEVICE_LIMITS } from "./module-gate.ts";
import { UPDATE_ACTIONS, UPDATE_CANDIDATE, UPDATE_CONFIG, UPDATE_KEY_BYTES } from "./update-layout.ts";

/** What `update.wasm` exports; docstrings are beside the functions in `assembly/update*.ts`, and in update_core.h. */
interface UpdateExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly UPDATE_INPUT: { readonly value: number };
  readonly UPDATE_INPUT_BYTES: { readonly value: number };
  readonly UPDATE_OUTPUT: { readonly value: number };
  readonly UPDATE_CONFIG: { readonly value: number };
  readonly UPDATE_BUFFER: { readonly value: number };
  readonly UPDATE_CANDIDATE: { readonly value: number };
  updateOpen(nowMs: number): number;
  updateReceive(length: number, nowMs: number): number;
  updateNext(nowMs: number): number;
  updateSlot(): number;
  updateAddress(): number;
  updateLength(): number;
  updateDone(result: number, detail: number, nowMs: number): void;
  updateAcknowledged(frames: number): void;
  updatePoll(): number;
}

/** A key whose packages a device takes. */
export interface TrustedKey {
  readonly algorithm: FlashAlgorithm;
  /** 32 bytes: the public key of Ed25519, or the secret of HMAC-SHA256. */
  readonly bytes: Uint8Array;
}

/** What a device is to its update machine. Sizes in bytes. */
export interface UpdateSettings {
  readonly abi: number;
  readonly nonce: number;
  readonly slotBytes: number;
  /** A power of two, 512 at least. */
  readonly sectorBytes: number;
  /** A power of two, 1 … 32. */
  readonly writeUnit: number;
  readonly bodyOffset: number;
  readonly memoryLimit: number;
  /** Longest wait for a confirmation, ms; 0: no limit. */
  readonly confirmMs: number;
  /** 0, 1, or 255 for what is in neither slot. */
  readonly runningSlot: number;
  readonly runningForm: UpdateForm;
  readonly runningVersion: number;
  readonly model: Uint8Array;
  readonly confirmedVersion: number;
  readonly isTrying: boolean;
  /** Of the last switch; 0: none. */
  readonly sid: number;
  readonly lastVerdict: number;
  readonly lastDetail: number;
  readonly traps: number;
  /** Largest data of a chunk, a power of two; 0: 256. */
  readonly chunkBytes: number;
  readonly takesForm: UpdateForm;
  /** 1 … 32 bytes */
  readonly target: string;
  /** 1 … 4 */
  readonly keys: readonly TrustedKey[];
}

/** What the host does next; addresses are offsets in the slot. */
export type UpdateAction =
  | { readonly kind: "erase" | "read"; readonly slot: number; readonly address: number; readonly length: number }
  | { readonly kind: "program"; readonly slot: number; readonly address: number; readonly bytes: Uint8Array }
  | { readonly kind: "test"; readonly slot: number }
  | { readonly kind: "switch"; readonly slot: number; readonly sid: number }
  | { readonly kind: "keep"; readonly slot: number; readonly version: number }
  | { readonly kind: "go-back"; readonly slot: number; readonly verdict: number; readonly detail: number }
  | { readonly kind: "work" };

/** What the manifest of the package under way says. */
export interface UpdateCandidate {
  readonly sid: number;
  readonly version: number;
  readonly length: number;
  readonly memoryBytes: number;
  readonly model: Uint8Array;
  readonly test: {
    readonly channels: number;
    readonly samples: number;
    readonly seed: number;
    readonly digest: Uint8Array;
  };
}

/** The device's side of updates: one instance of `update.wasm`, its calls under types. It decides; the host acts. */
export class UpdateMachine {
  readonly #core: UpdateExports;

  /** @throws {ModuleError} when the bytes are not a module that a device may run */
  constructor(updateWasm: Uint8Array) {
    const bytes = copyModule(updateWasm, "update.wasm", "new UpdateMachine(update)");
    checkModule(bytes, DEVICE_LIMITS);
    this.#core = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as UpdateExports;
  }

  /** Begin a boot. @returns false when a setting is out of its range */
  open(settings: UpdateSettings, nowMs: number): boolean {
    this.#configure(settings);
    return this.#core.updateOpen(nowMs) === 0;
  }

  /** Hear a message. @returns 1: a flash frame for this boot; 0: none, it is the link's; below 0: refused */
  receive(message: Uint8Array, nowMs: number): number {
    const { UPDATE_INPUT, UPDATE_INPUT_BYTES } = this.#core;
    if (message.length > UPDATE_INPUT_BYTES.value) return 0;
    this.#bytes(UPDATE_INPUT.value, message.length).set(message);
    return this.#core.updateReceive(message.length, nowMs);
  }

  /** The action due; carry it out and call `done` before anything else. */
  next(nowMs: number): UpdateAction | undefined {
    const core = this.#core;
    const kind = UPDATE_ACTIONS[core.updateNext(nowMs)] ?? "none";
    const [slot, address, length] = [core.updateSlot(), core.updateAddress() >>> 0, core.updateLength() >>> 0];
    switch (kind) {
      case "none":
        return undefined;
      case "erase":
      case "read":
        return { kind, slot, address, length };
      case "program":
        return { kind, slot, address, bytes: this.#bytes(core.UPDATE_BUFFER.value, length).slice() };
      case "test":
        return { kind, slot };
      case "switch":
        return { kind, slot, sid: address };
      case "keep":
        return { kind, slot, version: address };
      case "go-back":
        return { kind, slot, verdict: length, detail: address };
      case "work":
        return { kind };
    }
  }

  /** Say how the action went. @param read  what a READ brought */
  done(nowMs: number, result = 0, detail = 0, read?: Uint8Array): void {
    if (read !== undefined) this.#bytes(this.#core.UPDATE_BUFFER.value, read.length).set(read);
    this.#core.updateDone(result, detail, nowMs);
  }

  /** Frames of this boot's epoch that the cloud has confirmed. */
  acknowledged(frames: number): void {
    this.#core.updateAcknowledged(frames);
  }

  /** The message due, if there is one. */
  poll(): Uint8Array | undefined {
    const length = this.#core.updatePoll();
    return length === 0 ? undefined : this.#bytes(this.#core.UPDATE_OUTPUT.value, length).slice();
  }

  /** What the manifest under way says; of use at a test. */
  get candidate(): UpdateCandidate {
    const at = this.#core.UPDATE_CANDIDATE.value;
    const view = new DataView(this.#core.memory.buffer);
    return {
      sid: view.getUint32(at + UPDATE_CANDIDATE.SID, true),
      version: view.getUint32(at + UPDATE_CANDIDATE.VERSION, true),
      length: view.getUint32(at + UPDATE_CANDIDATE.LENGTH, true),
      memoryBytes: view.getUint32(at + UPDATE_CANDIDATE.MEMORY, true),
      model: this.#bytes(at + UPDATE_CANDIDATE.MODEL, 32).slice(),
      test: {
        channels: view.getUint8(at + UPDATE_CANDIDATE.TEST_CHANNELS),
        samples: view.getUint16(at + UPDATE_CANDIDATE.TEST_SAMPLES, true),
        seed: view.getUint32(at + UPDATE_CANDIDATE.TEST_SEED, true),
        digest: this.#bytes(at + UPDATE_CANDIDATE.TEST_DIGEST, 32).slice(),
      },
    };
  }

  #configure(settings: UpdateSettings): void {
    const at = this.#core.UPDATE_CONFIG.value;
    const view = new DataView(this.#core.memory.buffer);
    const target = new TextEncoder().encode(settings.target);
    const words: readonly (readonly [number, number])[] = [
      [UPDATE_CONFIG.ABI, settings.abi],
      [UPDATE_CONFIG.NONCE, settings.nonce],
      [UPDATE_CONFIG.SLOT_BYTES, settings.slotBytes],
      [UPDATE_CONFIG.SECTOR_BYTES, settings.sectorBytes],
      [UPDATE_CONFIG.WRITE_UNIT, settings.writeUnit],
      [UPDATE_CONFIG.BODY_OFFSET, settings.bodyOffset],
      [UPDATE_CONFIG.MEMORY_LIMIT, settings.memoryLimit],
      [UPDATE_CONFIG.CONFIRM_MS, settings.confirmMs],
      [UPDATE_CONFIG.RUNNING_VERSION, settings.runningVersion],
      [UPDATE_CONFIG.CONFIRMED_VERSION, settings.confirmedVersion],
      [UPDATE_CONFIG.SID, settings.sid],
      [UPDATE_CONFIG.LAST_DETAIL, settings.lastDetail],
    ];
    for (const [offset, value] of words) view.setUint32(at + offset, value, true);
    view.setUint16(at + UPDATE_CONFIG.TRAPS, Math.min(settings.traps, 0xffff), true);
    view.setUint16(at + UPDATE_CONFIG.CHUNK_BYTES, settings.chunkBytes, true);
    const bytes: readonly (readonly [number, number])[] = [
      [UPDATE_CONFIG.RUNNING_SLOT, settings.runningSlot],
      [UPDATE_CONFIG.RUNNING_FORM, UPDATE_FORMS.indexOf(settings.runningForm)],
      [UPDATE_CONFIG.TAKES_FORM, UPDATE_FORMS.indexOf(settings.takesForm)],
      [UPDATE_CONFIG.IS_TRYING, settings.isTrying ? 1 : 0],
      [UPDATE_CONFIG.LAST_VERDICT, settings.lastVerdict],
      [UPDATE_CONFIG.TARGET_LENGTH, Math.min(target.length, 0xff)],
      [UPDATE_CONFIG.KEY_COUNT, Math.min(settings.keys.length, 0xff)],
    ];
    for (const [offset, value] of bytes) view.setUint8(at + offset, value);
    this.#bytes(at + UPDATE_CONFIG.MODEL, 32).set(settings.model);
    this.#bytes(at + UPDATE_CONFIG.TARGET, 32).fill(0);
    this.#bytes(at + UPDATE_CONFIG.TARGET, 32).set(target.subarray(0, 32));
    for (const [k, key] of settings.keys.slice(0, 4).entries()) {
      const keyAt = at + UPDATE_CONFIG.KEYS + k * UPDATE_KEY_BYTES;
      view.setUint32(keyAt, key.algorithm === "ed25519" ? 0 : 1, true);
      this.#bytes(keyAt + 4, 32).set(key.bytes.subarray(0, 32));
    }
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#core.memory.buffer, at, length);
  }
}
