import type { DatabaseSync } from "node:sqlite";

/** A frame as the store holds it. */
export interface RawFrame {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/**
 * Frames of one epoch as they lie in the file: loose, or in the packs of closed stretches. Shares no code with the node's
 * own reader.
 *
 * @param key  the device's
 */
export function storedFrames(database: DatabaseSync, key: number, epoch: number): RawFrame[] {
  const loose = database
    .prepare("SELECT seq, bytes FROM frames WHERE device = ? AND epoch = ?")
    .all(key, epoch)
    .map(({ seq, bytes }) => ({ seq: Number(seq), bytes: asBlob(bytes) }));
  const packed = database
    .prepare(
      "SELECT from_seq, frames FROM stretches JOIN packs ON stretch = id WHERE device = ? AND epoch = ? AND tier = 0",
    )
    .all(key, epoch)
    .flatMap(({ from_seq, frames }) => unpack(Number(from_seq), asBlob(frames)));
  return [...loose, ...packed].sort((a, b) => a.seq - b.seq);
}

/** A frame of a pack: seqs skipped and length as LEB128, then its bytes. */
function unpack(from: number, pack: Uint8Array): RawFrame[] {
  const frames: RawFrame[] = [];
  let [at, next] = [0, from];
  const read = () => {
    let number = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = pack[at] ?? 0;
      at += 1;
      number += (byte % 128) * factor;
      if (byte < 128) return number;
    }
  };
  while (at < pack.length) {
    const seq = next + read();
    const length = read();
    frames.push({ seq, bytes: pack.slice(at, at + length) });
    at += length;
    next = seq + 1;
  }
  return frames;
}

function asBlob(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError("a column is not a blob");
  return value;
}
