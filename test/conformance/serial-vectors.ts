import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../protocol/vectors/serial/", import.meta.url);

/** One golden line of the serial framing. */
export interface SerialVector {
  readonly name: string;
  /** The line is what an encoder writes for the frames. */
  readonly isWhole: boolean;
  readonly line: Buffer;
  readonly frames: readonly Buffer[];
  /** Pieces left out, by reason. */
  readonly damaged: Readonly<Record<string, number>>;
}

/** Every golden line. */
export function serialVectors(): SerialVector[] {
  return readdirSync(FOLDER).map((file) => {
    const { isWhole, line, frames, damaged } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
    return {
      name: file.replace(/\.json$/, ""),
      isWhole,
      line: Buffer.from(line, "hex"),
      frames: frames.map((frame: string) => Buffer.from(frame, "hex")),
      damaged,
    };
  });
}
