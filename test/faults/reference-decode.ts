import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { loadCore } from "@lockstep/edge-sdk/core";
import { type BirthFrame, decodeFrame, isSequenced, sequencedSeal } from "@lockstep/protocol";
import { storedFrames } from "./stored-frames.ts";

/** What the frames of one epoch decode to when nothing interrupts whoever decodes them. */
export interface ReferenceEpoch {
  readonly epoch: number;
  /** Stored seqs. */
  readonly seqs: ReadonlySet<number>;
  /** Seq after the last frame. */
  readonly next: number;
  readonly samples: number;
  /** Of the codec state after the last frame; undefined for no frame. */
  readonly stateHash: number | undefined;
  /** Frames whose seal, which the device computed from its own state, is not what the reference computes. */
  readonly badSeals: number;
}

const core = loadCore(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/device.wasm"))));
const NO_LATTICE = 1;

/**
 * Decode a device's stored frames with nothing but the codec: from the first frame on, one decoder, no snapshot. Shares
 * no code with the node's own replay. A hole ends an epoch's decoding.
 *
 * @param storeFile  nobody writes to it
 */
export function decodeReference(storeFile: string, device: string): ReferenceEpoch[] {
  const database = new DatabaseSync(storeFile, { readOnly: true });
  try {
    const key = number(database.prepare("SELECT key FROM devices WHERE id = ?").get(device), "key");
    const births = new Map<string, BirthFrame>();
    for (const row of database.prepare("SELECT hash, bytes FROM births WHERE device = ?").all(key)) {
      const frame = decodeFrame(blob(row, "bytes"));
      if (frame.kind === "birth") births.set(String(row.hash), frame);
    }
    const epochs = database.prepare("SELECT epoch FROM epochs WHERE device = ? ORDER BY epoch").all(key);
    return epochs.map((row) => decodeEpoch(database, key, number(row, "epoch"), births));
  } finally {
    database.close();
  }
}

function decodeEpoch(
  database: DatabaseSync,
  key: number,
  epoch: number,
  births: ReadonlyMap<string, BirthFrame>,
): ReferenceEpoch {
  const seqs = new Set<number>();
  let [next, samples, badSeals] = [0, 0, 0];
  let segment: { readonly birth: BirthFrame; readonly decoder: ReturnType<typeof core.createDecoder> } | undefined;
  for (const { seq, bytes } of storedFrames(database, key, epoch)) {
    seqs.add(seq);
    next = seq + 1;
    const frame = decodeFrame(bytes);
    if (seqs.size !== next || !isSequenced(frame)) continue;
    if (frame.kind === "keyframe") {
      const birth = births.get(frame.birthHash);
      if (birth === undefined) continue;
      const channels = birth.channels.map((channel, c) =>
        (frame.lattices >> c) & 1 ? channel : { ...channel, lattice: NO_LATTICE },
      );
      segment = { birth, decoder: core.createDecoder(core.configure(channels)) };
    }
    if (segment === undefined) continue;
    const { birth, decoder } = segment;
    const quiet = frame.kind === "keyframe" ? 0 : frame.quiet;
    if (quiet > 0) decoder.replayQuiet(quiet);
    samples += quiet;
    if (frame.kind !== "heartbeat") {
      const count = frame.samples === 0 ? birth.frameSamples : frame.samples;
      decoder.decode(frame.payload, count, frame);
      samples += count;
    }
    if (sequencedSeal(bytes, birth.device, epoch, seq, decoder.hash()) !== frame.seal) badSeals += 1;
  }
  return { epoch, seqs, next, samples, stateHash: segment?.decoder.hash(), badSeals };
}

type Row = Readonly<Record<string, unknown>> | undefined;

function number(row: Row, name: string): number {
  const value = row?.[name];
  if (typeof value !== "number") throw new TypeError(`column ${name} is not a number`);
  return value;
}

function blob(row: Row, name: string): Uint8Array {
  const value = row?.[name];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${name} is not a blob`);
  return value;
}
