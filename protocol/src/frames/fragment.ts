import { FrameError } from "../errors.ts";
import { field, u8 } from "../field.ts";
import { type FrameLayout, MAX_FRAME_BYTES } from "../frame-layout.ts";

/** One piece of a frame that is longer than the link's MTU. @see protocol/SPEC.md, section 3.6 */
export interface FragmentFrame {
  readonly kind: "fragment";
  /** Names the set: the position of a sequenced frame, or 65,536 and up for others. 0 … 131,071. */
  readonly id: number;
  /** u8 < count */
  readonly index: number;
  /** 2 … 255 */
  readonly count: number;
  readonly chunk: Uint8Array;
}

const ID = field("id", 0, 131_071);
const INDEX = u8("index");
const COUNT = field("count", 2, 255);
const CHUNK = field("chunk", 1, MAX_FRAME_BYTES);

export const FRAGMENT_LAYOUT: FrameLayout<FragmentFrame> = {
  kindCode: 3,
  elements: 5,
  sealing: "none",
  encode(writer, frame) {
    writer.int(frame.id, ID);
    checkIndex(frame.index, frame.count, writer.length);
    writer.int(frame.index, INDEX);
    writer.int(frame.count, COUNT);
    writer.byteString(frame.chunk, CHUNK);
  },
  decode(reader) {
    const id = reader.uint(ID);
    const indexOffset = reader.offset;
    const index = reader.uint(INDEX);
    const count = reader.uint(COUNT);
    checkIndex(index, count, indexOffset);
    return { kind: "fragment", id, index, count, chunk: reader.byteString(CHUNK) };
  },
};

function checkIndex(index: number, count: number, offset: number): void {
  if (index >= count) {
    throw new FrameError("out-of-range", { offset, field: INDEX.name, have: index, limit: count - 1 });
  }
}
