import { birthHash, type Frame } from "../src/index.ts";
import type { SealedWith } from "./frame-cases.ts";

/** What a vector's JSON says: the frame's fields, with byte strings as hexadecimal digits. */
export interface DescribedFrame {
  readonly about: string;
  readonly frame: Readonly<Record<string, unknown>>;
  /** Of a sequenced frame: what its seal proves. */
  readonly sealedWith?: SealedWith;
  /** Of a birth. */
  readonly birthHash?: string;
}

/** A frame as the JSON beside its bytes. */
export function describeFrame(about: string, frame: Frame, sealedWith: SealedWith | undefined): DescribedFrame {
  const fields = Object.fromEntries(
    Object.entries(frame).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ]),
  );
  return {
    about,
    frame: fields,
    ...(sealedWith === undefined ? {} : { sealedWith }),
    ...(frame.kind === "birth" ? { birthHash: birthHash(frame) } : {}),
  };
}
