import { LINK_KEY_BYTES } from "@lockstep/protocol";
import { checkModule, copyModule, DEVICE_LIMITS } from "./module-gate.ts";
import { SessionError } from "./session-error.ts";

/** What `mac.wasm` exports; docstrings are beside the functions in `assembly/mac.ts`, and in mac_core.h. */
export interface MacExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly MAC_MEMORY_BYTES: { readonly value: number };
  readonly MAC_PIECE: { readonly value: number };
  readonly MAC_LINK_KEY: { readonly value: number };
  macBoot(nonce: number, nameLength: number): void;
  macSeal(at: number, length: number): number;
  macOpen(at: number, length: number): number;
}

/** A compiled `mac.wasm`, for any number of devices. */
export interface MacModule {
  instantiate(): MacExports;
}

/** What a device and its cloud share. */
export interface MacKey {
  readonly module: MacModule;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

/**
 * Compile `mac.wasm`, once.
 *
 * @throws {ModuleError} when the bytes are not a module that a device may run; `missing-bytes`
 */
export function compileMacModule(given: Uint8Array): MacModule {
  const bytes = copyModule(given, "mac.wasm", "compileMacModule(mac)");
  checkModule(bytes, DEVICE_LIMITS);
  const module = new WebAssembly.Module(bytes);
  return { instantiate: () => new WebAssembly.Instance(module).exports as unknown as MacExports };
}

/** Room that a MAC takes. */
const MAC_ROOM = 8;

/** One boot of a device, as the two ends of its link know it: seals what goes up, opens what comes down. */
export class LinkSeal {
  readonly #core: MacExports;
  readonly #at: number;
  /** Longest frame that there is room for, bytes. */
  readonly #room: number;

  /**
   * @param device  its name, as in its birth
   * @param nonce  of the boot
   * @throws {SessionError} `mac-key` when the key is no 32 bytes
   */
  constructor({ module, bytes }: MacKey, device: string, nonce: number) {
    if (bytes.length !== LINK_KEY_BYTES)
      throw new SessionError("mac-key", { bytes: bytes.length, need: LINK_KEY_BYTES });
    const core = module.instantiate();
    const name = new TextEncoder().encode(device);
    const memory = new Uint8Array(core.memory.buffer);
    memory.set(bytes, core.MAC_LINK_KEY.value);
    memory.set(name, core.MAC_PIECE.value);
    core.macBoot(nonce, name.length);
    this.#core = core;
    this.#at = core.MAC_MEMORY_BYTES.value;
    this.#room = core.memory.buffer.byteLength - this.#at - MAC_ROOM;
  }

  /** A frame with its MAC, a view that holds until the next call; a frame is far shorter than the 64 KiB there are. */
  seal(frame: Uint8Array): Uint8Array {
    const room = new Uint8Array(this.#core.memory.buffer, this.#at);
    room.set(frame);
    return room.subarray(0, this.#core.macSeal(this.#at, frame.length));
  }

  /** A frame without its MAC, a copy; undefined when it has none, or not the right one. */
  open(sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length > this.#room) return undefined;
    const room = new Uint8Array(this.#core.memory.buffer, this.#at);
    room.set(sealed);
    const length = this.#core.macOpen(this.#at, sealed.length);
    return length < 0 ? undefined : room.slice(0, length);
  }
}
