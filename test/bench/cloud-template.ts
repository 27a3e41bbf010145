import { Loopback } from "@lockstep/edge-sdk";
import { type Core, loadCore } from "@lockstep/edge-sdk/core";
import {
  type BirthFrame,
  channelScale,
  decodeFrame,
  encodeFrame,
  isSequenced,
  type SequencedFrame,
  sequencedSeal,
} from "@lockstep/protocol";
import { ManualClock } from "@lockstep/sim";
import { deviceModuleBytes, openRotor, RATE_HZ, rotor } from "./rotor-session.ts";

/** Samples of a frame, and its channels: what the goals are set for. */
export const CLOUD_FRAME_SAMPLES = 8;
export const CLOUD_CHANNELS = 6;
/** A tenth of the noise: no frame is quiet. */
export const CLOUD_EPS = 0.001;
/** Every device of a benchmark is in its first boot. */
const EPOCH = 1;
const PERIOD_US = 1e6 / RATE_HZ;
/** Bytes at a frame's end that hold the seal's number. */
const SEAL_BYTES = 4;

/** One frame of a template. */
interface TemplateFrame {
  /** As the link sent it, sealed for the template's device. */
  readonly bytes: Uint8Array;
  /** Of the codec after it. */
  readonly stateHash: number;
}

/**
 * Frames that the real link made of one signal, to be sent in the name of many devices: what differs between two of them
 * is the seal, which binds a frame to its device.
 */
export class FrameTemplate {
  readonly birth: BirthFrame;
  readonly frames: readonly TemplateFrame[];
  /** Shape (frames, CLOUD_FRAME_SAMPLES, CLOUD_CHANNELS): what a store must give back, in the channels' units. */
  readonly values: Float64Array;
  /** Device time of the first sample, µs. */
  readonly startUs: number;

  private constructor(birth: BirthFrame, frames: readonly TemplateFrame[], values: Float64Array, startUs: number) {
    this.birth = birth;
    this.frames = frames;
    this.values = values;
    this.startUs = startUs;
  }

  /** @param count  frames, ≥ 1 */
  static async make(seed: number, count: number): Promise<FrameTemplate> {
    const { birth, sent } = await recordSession(seed, count);
    const core = loadCore(deviceModuleBytes());
    const scales = birth.channels.map(channelScale);
    const values = new Float64Array(count * CLOUD_FRAME_SAMPLES * CLOUD_CHANNELS);
    const [first] = sent;
    if (first?.frame.kind !== "keyframe") throw new RangeError("a session begins with a keyframe");
    let decoder = core.createDecoder(configOf(core, birth, first.frame.lattices));
    const frames = sent.map(({ frame, bytes }, i): TemplateFrame => {
      if (frame.kind === "heartbeat") throw new RangeError("no frame of a template is quiet");
      if (frame.kind === "keyframe") decoder = core.createDecoder(configOf(core, birth, frame.lattices));
      const { samples } = decoder.decode(frame.payload, CLOUD_FRAME_SAMPLES, frame);
      for (const [at, sample] of samples.entries()) {
        const { offset, scale } = scales[at % CLOUD_CHANNELS] ?? { offset: 0, scale: 1 };
        values[i * samples.length + at] = (sample + offset) * scale;
      }
      return { bytes, stateHash: decoder.hash() };
    });
    return new FrameTemplate(birth, frames, values, first.frame.timeUs);
  }

  /** The birth of a device that sends this template. */
  birthOf(device: string, nonce: number): Uint8Array {
    return encodeFrame({ ...this.birth, device, nonce, epoch: EPOCH });
  }

  /** A frame in the name of a device. @param seq  0 … frames.length − 1 */
  frameOf(device: string, seq: number): Uint8Array {
    const { bytes, stateHash } = this.frames[seq] ?? { bytes: new Uint8Array(0), stateHash: 0 };
    const own = bytes.slice();
    const seal = sequencedSeal(bytes, device, EPOCH, seq, stateHash);
    new DataView(own.buffer).setUint32(own.length - SEAL_BYTES, seal);
    return own;
  }

  /** Device time of a sample, µs. */
  sampleTimeUs(sample: number): number {
    return this.startUs + Math.round(sample * PERIOD_US);
  }

  /** What the sample must be. Shape (CLOUD_CHANNELS). */
  rowOf(sample: number): Float64Array {
    return this.values.subarray(sample * CLOUD_CHANNELS, (sample + 1) * CLOUD_CHANNELS);
  }
}

/** Real frames of one device, acknowledged at once; no time passes but its own. */
async function recordSession(seed: number, count: number) {
  const loopback = new Loopback();
  const sent: { readonly frame: SequencedFrame; readonly bytes: Uint8Array }[] = [];
  let birth: BirthFrame | undefined;
  let nonce = 0;
  loopback.listen({
    connected() {},
    disconnected() {},
    message(bytes) {
      const frame = decodeFrame(bytes);
      if (frame.kind === "birth") {
        birth = frame;
        nonce = frame.nonce;
        const told = { epoch: EPOCH, through: 0, alias: "", ackAgeMs: 1_000, timeUs: 0 };
        loopback.send(encodeFrame({ kind: "welcome", nonce, ...told }));
      }
      if (!isSequenced(frame)) return;
      sent.push({ frame, bytes: bytes.slice() });
      loopback.send(encodeFrame({ kind: "ack", nonce, epoch: EPOCH, through: sent.length, missing: [] }));
    },
  });
  const clock = new ManualClock();
  const session = await openRotor({
    device: "template",
    frameSamples: CLOUD_FRAME_SAMPLES,
    transport: loopback.transport,
    clock,
    seed,
    eps: CLOUD_EPS,
  });
  await clock.advance(0);
  const reader = rotor(seed).read();
  const row = new Float64Array(CLOUD_CHANNELS);
  while (sent.length < count) {
    reader.next(row);
    session.push(row, Math.round(clock.nowMs() * 1000));
    await clock.advance(PERIOD_US / 1000);
  }
  await session.destroy();
  if (birth === undefined) throw new RangeError("a session begins with a birth");
  return { birth, sent: sent.slice(0, count) };
}

function configOf(core: Core, birth: BirthFrame, lattices: number) {
  return core.configure(
    birth.channels.map((channel, c) => ((lattices >> c) & 1 ? channel : { ...channel, lattice: 1 })),
  );
}
