import type { CoreExports } from "./core-exports.ts";
import { CodecError } from "./core-status.ts";

const PAGE_BYTES = 65_536;

/** Where one codec's blocks are while it runs. */
export interface Blocks {
  readonly cfg: number;
  readonly st: number;
}

/** One codec's configuration and persistent state, wherever the memory keeps them between calls. */
export interface Slot {
  /** Put both in place for calls. */
  enter(): Blocks;
  /** Keep what the calls made of the state, or put back what it was. */
  leave(keep: boolean): void;
  /** Note the state, so that it can be put back; the next slot of this memory that notes its own overwrites it. */
  keep(): void;
  /** Go back to the state that was noted. */
  putBack(): void;
  /** A copy of the persistent state. */
  read(): Uint8Array;
  /** Replace the persistent state; exactly as many bytes as `read` gives. */
  write(state: Uint8Array): void;
}

/** Memory of one instance: slots for codecs, and room for samples and payloads that nobody keeps. */
export interface CoreMemory {
  /** Where a configuration and a cold state may be drafted; the next call of anything here overwrites it. */
  draft(configBytes: number, stateBytes: number): Blocks;
  /** A slot with this configuration block, persistent state, and values of the globals that go with the configuration. */
  allocate(config: Uint8Array, state: Uint8Array, globals: readonly number[]): Slot;
  /** Address of at least `wanted` scratch bytes, 8-byte aligned, or of fewer where the memory cannot grow. */
  scratch(wanted: number): { readonly at: number; readonly bytes: number };
}

/** Refuse a state of another size. @throws {CodecError} `shape` */
function checkSize(state: Uint8Array, bytes: number): void {
  if (state.length !== bytes) throw new CodecError("shape", { need: bytes, have: state.length });
}

/** One state, kept aside without an allocation of its own each time. */
class NotedState {
  #bytes = new Uint8Array(0);

  note(state: Uint8Array): void {
    if (this.#bytes.length < state.length) this.#bytes = new Uint8Array(state.length);
    this.#bytes.set(state);
  }

  putBack(state: Uint8Array): void {
    state.set(this.#bytes.subarray(0, state.length));
  }
}

/** device.wasm: one fixed place, shared by all slots in turn; a slot is a few kilobytes on the host's side. */
export class FixedMemory implements CoreMemory {
  readonly #core: CoreExports;
  readonly #blocks: Blocks;
  readonly #free: number;
  readonly #noted = new NotedState();
  /** The slot whose configuration and state lie in place as they are; none while calls may have changed them. */
  #inPlace: Slot | undefined;

  constructor(core: CoreExports) {
    this.#core = core;
    this.#blocks = { cfg: core.function("configAddress")(), st: core.function("stateAddress")() };
    this.#free = align(core.constant("__heap_base"));
  }

  draft(): Blocks {
    this.#inPlace = undefined;
    return this.#blocks;
  }

  allocate(config: Uint8Array, initial: Uint8Array, globals: readonly number[]): Slot {
    const { memory, configGlobals } = this.#core;
    const { cfg, st } = this.#blocks;
    const state = initial.slice();
    const slot: Slot = {
      enter: () => {
        if (this.#inPlace === slot) return this.#blocks;
        this.#inPlace = undefined;
        const bytes = new Uint8Array(memory.buffer);
        bytes.set(config, cfg);
        bytes.set(state, st);
        configGlobals.forEach((global, i) => {
          global.value = globals[i] ?? 0;
        });
        return this.#blocks;
      },
      leave: (keep) => {
        this.#inPlace = keep ? slot : undefined;
        if (keep) state.set(new Uint8Array(memory.buffer, st, state.length));
      },
      keep: () => this.#noted.note(state),
      putBack: () => {
        this.#inPlace = undefined;
        this.#noted.putBack(state);
      },
      read: () => state.slice(),
      write: (next) => {
        checkSize(next, state.length);
        this.#inPlace = undefined;
        state.set(next);
      },
    };
    return slot;
  }

  scratch(): { readonly at: number; readonly bytes: number } {
    return { at: this.#free, bytes: this.#core.memory.buffer.byteLength - this.#free };
  }
}

/** batch.wasm: every slot has a place of its own, and the memory grows. */
export class GrowingMemory implements CoreMemory {
  readonly #core: CoreExports;
  readonly #noted = new NotedState();
  #nextSlot: number;

  constructor(core: CoreExports) {
    this.#core = core;
    this.#nextSlot = align(core.constant("__heap_base"));
  }

  draft(configBytes: number, stateBytes: number): Blocks {
    const cfg = this.scratch(align(configBytes) + stateBytes).at;
    return { cfg, st: align(cfg + configBytes) };
  }

  allocate(config: Uint8Array, initial: Uint8Array): Slot {
    const { memory, calls } = this.#core;
    const cfg = this.#nextSlot;
    const st = align(cfg + config.length);
    const transientBytes = calls.stateBytes(1, 0) - calls.persistentBytes(1, 0);
    this.#nextSlot = align(st + initial.length + transientBytes);
    this.#reach(this.#nextSlot);
    new Uint8Array(memory.buffer).set(config, cfg);
    // A view lasts until the memory grows.
    let view = new Uint8Array(memory.buffer, st, initial.length);
    const state = () => {
      if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer, st, initial.length);
      return view;
    };
    state().set(initial);
    const before = initial.slice();
    const blocks = { cfg, st };
    return {
      enter: () => {
        before.set(state());
        return blocks;
      },
      leave: (keep) => {
        if (!keep) state().set(before);
      },
      keep: () => this.#noted.note(state()),
      putBack: () => this.#noted.putBack(state()),
      read: () => state().slice(),
      write: (next) => {
        checkSize(next, initial.length);
        state().set(next);
      },
    };
  }

  scratch(wanted: number): { readonly at: number; readonly bytes: number } {
    this.#reach(this.#nextSlot + wanted);
    return { at: this.#nextSlot, bytes: this.#core.memory.buffer.byteLength - this.#nextSlot };
  }

  #reach(end: number): void {
    const missing = end - this.#core.memory.buffer.byteLength;
    if (missing > 0) this.#core.memory.grow(Math.ceil(missing / PAGE_BYTES));
  }
}

function align(address: number): number {
  return (address + 7) & ~7;
}
