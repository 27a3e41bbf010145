/**
 * The smallest receiver there can be: takes frames of one device strictly in order, decodes them with a second instance of
 * the module, checks every seal, and says what it has and what it misses. It stores nothing: tests read `rows`.
 */
import { readFileSync } from "node:fs";
import {
  type BirthFrame,
  decodeFrame,
  encodeFrame,
  expandSeq,
  type Frame,
  gapRanges,
  Reassembler,
  type SequencedFrame,
  sequencedSeal,
} from "@lockstep/protocol";
import { DEVICE_WASM } from "./raw-device.ts";

/** One row that was decoded and whose frame's seal held. */
export interface ConfirmedRow {
  epoch: number;
  samples: number[];
  statuses: number[];
}

const NONCE_NONE = 0;

/** What the cloud knows of one epoch. */
interface Stream {
  next: number;
  early: Map<number, { frame: SequencedFrame; bytes: Uint8Array }>;
  /** Frames are passed over until a keyframe comes. */
  isLost: boolean;
  /** Of the running segment. */
  lattices: number;
  state: Uint8Array | undefined;
}

export class RawCloud {
  readonly rows: ConfirmedRow[] = [];
  readonly gaps: { epoch: number; from: number; through: number }[] = [];
  readonly kinds: Record<string, number> = {};
  birth: BirthFrame | undefined;
  epoch = 0;
  badSeals = 0;
  private readonly core;
  private readonly streams = new Map<number, Stream>();
  private readonly reassembler = new Reassembler();

  constructor() {
    this.core = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(DEVICE_WASM))).exports as never as Record<
      string,
      (...args: (number | boolean)[]) => number
    > & { memory: { buffer: ArrayBuffer } };
  }

  /** Take one message; returns what to send back. */
  take(bytes: Uint8Array): Uint8Array[] {
    const frame = decodeFrame(bytes);
    this.kinds[frame.kind] = (this.kinds[frame.kind] ?? 0) + 1;
    if (frame.kind === "fragment") {
      const whole = this.reassembler.push(frame);
      return whole ? this.take(whole) : [];
    }
    if (frame.kind === "birth") return [this.welcome(frame)];
    if (frame.kind === "status") {
      const stream = this.stream(frame.epoch);
      if (frame.oldest > stream.next) this.giveUp(frame.epoch, stream, frame.oldest);
      return [this.ack(frame.epoch, frame.next)];
    }
    if (frame.kind !== "keyframe" && frame.kind !== "residual" && frame.kind !== "heartbeat") return [];
    const epoch = frame.kind === "keyframe" ? frame.epoch : this.epochOf(frame.position);
    const stream = this.stream(epoch);
    const seq = frame.kind === "keyframe" ? frame.seq : expandSeq(frame.position, stream.next);
    if (seq >= stream.next) stream.early.set(seq, { frame, bytes });
    this.decodeReady(epoch, stream);
    return [];
  }

  /** Cumulative ack of an epoch, with holes up to `through`. */
  ack(epoch: number, through: number): Uint8Array {
    const stream = this.stream(epoch);
    const missing = gapRanges(new Set(stream.early.keys()), stream.next, through).slice(0, 8);
    return encodeFrame({ kind: "ack", nonce: this.birth?.nonce ?? NONCE_NONE, epoch, through: stream.next, missing });
  }

  /** Ack of the newest epoch with the holes below its newest early frame. */
  ackAll(): Uint8Array {
    const early = [...this.stream(this.epoch).early.keys()];
    return this.ack(this.epoch, early.length ? Math.max(...early) + 1 : this.stream(this.epoch).next);
  }

  /** Ask for a new segment. */
  resync(seq: number): Uint8Array {
    this.stream(this.epoch).isLost = true;
    return encodeFrame({
      kind: "resync",
      nonce: this.birth?.nonce ?? NONCE_NONE,
      epoch: this.epoch,
      seq,
      reason: "state-mismatch",
    });
  }

  private welcome(birth: BirthFrame): Uint8Array {
    this.epoch = birth.epoch || this.epoch || 1;
    this.birth = birth;
    const { nonce } = birth;
    return encodeFrame({
      kind: "welcome",
      nonce,
      epoch: this.epoch,
      through: this.stream(this.epoch).next,
      alias: "a",
      ackAgeMs: 1000,
      timeUs: 1,
    });
  }

  private stream(epoch: number): Stream {
    const known = this.streams.get(epoch);
    if (known) return known;
    const stream: Stream = { next: 0, early: new Map(), isLost: false, lattices: 0, state: undefined };
    this.streams.set(epoch, stream);
    return stream;
  }

  private epochOf(position: number): number {
    for (let epoch = this.epoch; epoch > 0; epoch--) if (epoch % 16 === position >> 12) return epoch;
    return this.epoch;
  }

  private giveUp(epoch: number, stream: Stream, through: number): void {
    this.gaps.push({ epoch, from: stream.next, through });
    for (let seq = stream.next; seq < through; seq++) stream.early.delete(seq);
    stream.next = through;
    stream.isLost = true;
    this.decodeReady(epoch, stream);
  }

  private decodeReady(epoch: number, stream: Stream): void {
    if (stream.isLost) {
      const keyframes = [...stream.early].filter(([, { frame }]) => frame.kind === "keyframe").map(([seq]) => seq);
      if (!keyframes.length) return;
      const first = Math.min(...keyframes);
      if (first > stream.next) this.gaps.push({ epoch, from: stream.next, through: first });
      for (const seq of stream.early.keys()) if (seq < first) stream.early.delete(seq);
      stream.next = first;
      stream.isLost = false;
    }
    for (let ready = stream.early.get(stream.next); ready; ready = stream.early.get(stream.next)) {
      stream.early.delete(stream.next);
      if (!this.decode(epoch, stream, ready.frame, ready.bytes)) return;
      stream.next++;
    }
  }

  /** Decode one frame; false when its seal does not hold, and then nothing has changed. */
  private decode(epoch: number, stream: Stream, frame: SequencedFrame, bytes: Uint8Array): boolean {
    const { core, birth } = this;
    if (!birth) throw new RangeError("a frame before any birth");
    const { channels } = birth;
    if (frame.kind === "keyframe") stream.lattices = frame.lattices;
    core.codecConfigure?.(channels.length);
    channels.forEach((channel, c) => {
      const hasLattice = (stream.lattices & (1 << c)) !== 0;
      core.codecSetChannel?.(c, channel.e, hasLattice ? channel.lattice : 1, channel.historyShift);
    });
    const stateBytes =
      core.persistentBytes?.(channels.length, Math.max(...channels.map((channel) => channel.historyShift))) ?? 0;
    const state = () => new Uint8Array(core.memory.buffer, core.stateAddress?.() ?? 0, stateBytes);
    if (frame.kind === "keyframe") core.codecReset?.();
    else if (stream.state) state().set(stream.state);
    const rows: ConfirmedRow[] = [];
    const at = core.freeAddress?.() ?? 0;
    const take = (run: () => number) => {
      const status = run();
      if (status < 0) return false;
      const samples = [...new Int32Array(core.memory.buffer, at, channels.length)];
      rows.push({ epoch, samples, statuses: [...new Uint8Array(core.memory.buffer, at + 64, channels.length)] });
      return true;
    };
    const quiet = frame.kind === "keyframe" ? 0 : frame.quiet;
    new Uint8Array(core.memory.buffer, at, 96).fill(0);
    for (let i = 0; i < quiet; i++) if (!take(() => core.replayQuietRows?.(at, 1) ?? -1)) return false;
    if (frame.kind !== "heartbeat") {
      new Uint8Array(core.memory.buffer, at + 96, frame.payload.length).set(frame.payload);
      const flags = frame.hasEvents ? 1 : frame.hasLines ? 2 : 0;
      core.decodeBegin?.(flags, frame.samples || birth.frameSamples, at + 96, frame.payload.length);
      for (let i = 0; i < (frame.samples || birth.frameSamples); i++) {
        if (!take(() => core.decodeRows?.(at, at + 64, 1) ?? -1)) return false;
      }
    }
    const hash = (core.stateHash?.() ?? 0) >>> 0;
    if (sequencedSeal(bytes, birth.device, epoch, stream.next, hash) !== frame.seal) {
      this.badSeals++;
      return false;
    }
    stream.state = state().slice();
    this.rows.push(...rows);
    return true;
  }
}

/** The kinds of a list of messages. */
export function kindsOf(messages: readonly { bytes: Uint8Array }[]): Frame["kind"][] {
  return messages.map(({ bytes }) => decodeFrame(bytes).kind);
}
