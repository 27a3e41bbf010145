/**
 * The smallest host there can be: it drives `device.wasm` through its exports and copies bytes, nothing else. What it
 * sends is what any host sends, so tests compare other hosts (C, the SDK) with it.
 */
import { readFileSync } from "node:fs";
import { type LinkView, readLinkView } from "@lockstep/edge-sdk";

/** The module under test, as built. */
export const DEVICE_WASM = new URL("../../edge-sdk/build/device.wasm", import.meta.url);

/** The exports that hosts and tests call. */
type Call =
  | "freeAddress"
  | "linkBegin"
  | "linkChannel"
  | "linkConnected"
  | "linkDescribe"
  | "linkDisconnected"
  | "linkFlush"
  | "linkMemory"
  | "linkOpen"
  | "linkPoll"
  | "linkPresence"
  | "linkReceive"
  | "linkRestore"
  | "linkSample"
  | "linkView";
type Exported = Readonly<Record<Call, (...args: (number | bigint)[]) => number>> & {
  readonly memory: { readonly buffer: ArrayBuffer };
};

/** What a device is made of; see protocol/SPEC.md, section 3.1. */
export interface RawDeviceOptions {
  channels: number;
  e: number;
  frameSamples: number;
  silenceMs?: number;
  mtu?: number;
  lattice?: number;
  ringBytes?: number;
  /** Longest message, with 16 bytes to spare. */
  outBytes?: number;
  /** The buffer for messages, if it is not as long: they go out in parts then. */
  roomBytes?: number;
  nonce?: number;
  epoch?: number;
  /** Bytes that an earlier boot left in the ring. */
  ring?: Uint8Array;
  name?: string;
}

const PERIOD_NS = 10_000_000n;
/** Behind everything else in a message. */
const SEAL_BYTES = 5;

/** One device: exports, addresses and a clock that the test sets. */
export class RawDevice {
  readonly core: Exported;
  readonly opened: number;
  nowMs = 0;
  private readonly samplesAt: number;
  private readonly statusesAt: number;
  private readonly inputAt: number;
  private readonly ringAt: number;
  private readonly ringBytes: number;

  constructor(options: RawDeviceOptions) {
    this.core = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(DEVICE_WASM))).exports as never;
    const { channels, e, frameSamples, lattice = 1, ringBytes = 16_384, outBytes = 1_536 } = options;
    const { core } = this;
    expectSuccess(core.linkBegin(channels, frameSamples, options.silenceMs ?? 5_000, options.mtu ?? 0));
    let free = core.freeAddress();
    const take = (bytes: number) => {
      const at = free;
      free += (bytes + 7) & ~7;
      return at;
    };
    this.samplesAt = take(4 * channels);
    this.statusesAt = take(channels);
    this.inputAt = take(256);
    this.ringBytes = ringBytes;
    this.ringAt = take(ringBytes);
    const text = (value: string) => {
      const bytes = new TextEncoder().encode(value);
      const at = take(bytes.length);
      this.bytes(at, bytes.length).set(bytes);
      return [at, bytes.length] as const;
    };
    const roomBytes = options.roomBytes ?? outBytes;
    expectSuccess(core.linkMemory(this.ringAt, ringBytes, take(roomBytes), roomBytes, outBytes));
    const model = take(32);
    this.bytes(model, 32).fill(7);
    const birthRoom = 64 + 6 + channels * 64;
    expectSuccess(
      core.linkDescribe(
        take(birthRoom),
        birthRoom,
        ...text(options.name ?? "raw-1"),
        PERIOD_NS,
        model,
        ...text("fw-1.0"),
      ),
    );
    for (let c = 0; c < channels; c++) {
      expectSuccess(core.linkChannel(...text(`c${c}`), ...text("g"), e, lattice, 0, -5n, 3, -20, BigInt(3 * e), -20));
    }
    const nonce = options.nonce ?? 0xdecafbad;
    if (options.ring) {
      this.bytes(this.ringAt, ringBytes).set(options.ring);
      this.opened = core.linkRestore(nonce, this.nowMs);
    } else {
      this.opened = core.linkOpen(nonce, options.epoch ?? 0, this.nowMs);
    }
  }

  /** A view of the module's memory. */
  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.core.memory.buffer, at, length);
  }

  /** How its link stands. */
  get view(): LinkView {
    return readLinkView(this.core);
  }

  /** Give one sample of every channel; returns the core's answer. */
  sample(samples: readonly number[], statuses: readonly number[] = []): number {
    new Int32Array(this.core.memory.buffer, this.samplesAt, samples.length).set(samples);
    this.bytes(this.statusesAt, samples.length).fill(0).set(statuses);
    return this.core.linkSample(this.samplesAt, this.statusesAt, BigInt(this.nowMs) * 1000n, this.nowMs);
  }

  /** Everything that should go out now, in order, with its topic. */
  poll(limit = 100_000): { topic: number; bytes: Uint8Array }[] {
    const messages = [];
    while (messages.length < limit) {
      const length = this.core.linkPoll(BigInt(this.nowMs) * 1000n, this.nowMs);
      expectSuccess(length);
      if (length === 0) break;
      messages.push({ topic: this.view.topic, bytes: this.message(length) });
    }
    return messages;
  }

  /** The message just composed, from the parts that it lies in: a copy. */
  message(length: number): Uint8Array {
    const { message, rest, restBytes } = this.view;
    const front = length - restBytes - SEAL_BYTES;
    const parts = [[message, front] as const, [rest, restBytes] as const, [message + front, SEAL_BYTES] as const];
    return Buffer.concat(parts.map(([at, bytes]) => this.bytes(at, bytes)));
  }

  /** Hear a message of the cloud. */
  receive(message: Uint8Array): number {
    this.bytes(this.inputAt, message.length).set(message);
    return this.core.linkReceive(this.inputAt, message.length, this.nowMs);
  }

  /** The ring's memory, as a host would keep it on disk. */
  ringImage(): Uint8Array {
    return this.bytes(this.ringAt, this.ringBytes).slice();
  }
}

function expectSuccess(status: number): void {
  if (status < 0) throw new RangeError(`device.wasm answered ${status}`);
}
