import type { CoderAreas } from "./coder-areas.ts";
import type { GradientCore } from "./gradient-core.ts";
import { GradientError } from "./gradient-error.ts";
import type { PlacedTensor } from "./gradient-layout.ts";
import type { MessageHead } from "./gradient-message.ts";

/** Sparse codes are never longer than the values themselves, but for so much. */
export const ROOM_BYTES = 4096;
/** Where more coordinates have codes than this share, to tell them one by one takes a fraction of the time, and some more bytes. */
const DENSE_SHARE = 0.2;
/** Fewer are not worth the tables. */
const LEAST_DENSE = 4096;

/** Whether codes are coded one by one, rather than as what lies between them. */
export function isDenseCode(core: GradientCore, sentCount: number, count: number, largest: number): boolean {
  const hasTables = largest <= Number(core.calls.LARGEST_SIZE.value) && count >= LEAST_DENSE;
  return hasTables && sentCount > DENSE_SHARE * count;
}

/** What follows a message's head: the codes of all tensors that are in it, by one of two coders. */
export class CodeBody {
  readonly #core: GradientCore;
  readonly #areas: CoderAreas;
  readonly #tensors: readonly PlacedTensor[];
  readonly #count: number;

  constructor(core: GradientCore, areas: CoderAreas, tensors: readonly PlacedTensor[], count: number) {
    this.#core = core;
    this.#areas = areas;
    this.#tensors = tensors;
    this.#count = count;
  }

  /**
   * Code what lies in the coder's codes.
   *
   * @returns a view of the kernel's memory, until it is used again
   * @throws {GradientError} `too-large`
   */
  encode(head: MessageHead, sentCount: number): Uint8Array {
    const { calls } = this.#core;
    const mark = this.#core.mark();
    const room = head.isDense ? calls.denseBytes(this.#count) : 4 * this.#count + ROOM_BYTES;
    const notes = this.#core.reserve(head.isDense ? calls.placeBytes(this.#count) : calls.eventBytes(sentCount));
    const out = this.#core.reserve(room);
    this.#core.release(mark);
    const { work, codes } = this.#areas;
    const { largest } = head;
    if (head.isDense) calls.openDenseEncoder(work, notes, out, this.#count, largest);
    else calls.openSparseEncoder(work, notes, this.#count, largest);
    this.#tensors.forEach((tensor, t) => {
      if (head.included[t] !== true) return;
      const { rows, columns } = tensor;
      const from = codes + 2 * tensor.from;
      if (tensor.isTurned) calls.transposeCodes(from, rows, columns, this.#areas.turnedCodes);
      const at = tensor.isTurned ? this.#areas.turnedCodes : from;
      if (head.isDense) calls.encodeDenseTensor(at, ...linesOf(tensor));
      else calls.encodeTensor(at, ...linesOf(tensor));
    });
    const bytes = head.isDense ? calls.closeDenseEncoder() : calls.closeSparseEncoder(out, room);
    if (bytes >= 0) return this.#core.bytes(out, bytes);
    throw new GradientError("too-large", `codes take more than ${room} bytes`, "take larger steps, or fewer bits");
  }

  /** Read codes into those that were heard. @returns whether an encoder can have written them */
  decode(head: MessageHead, body: Uint8Array): boolean {
    const { calls } = this.#core;
    const mark = this.#core.mark();
    const at = this.#core.reserve(body.length);
    this.#core.release(mark);
    this.#core.write(at, body);
    const { work } = this.#areas;
    if (!head.isDense) calls.openSparseDecoder(work, at, body.length, this.#count, head.largest);
    else if (calls.openDenseDecoder(work, at, body.length, head.largest) < 0) return false;
    const isRead = this.#tensors.every((tensor, t) => head.included[t] !== true || this.#readTensor(tensor, head));
    return isRead && (head.isDense ? calls.closeDenseDecoder() : calls.closeSparseDecoder()) >= 0;
  }

  #readTensor(tensor: PlacedTensor, { isDense }: MessageHead): boolean {
    const { calls } = this.#core;
    const { heard, turnedCodes } = this.#areas;
    const [lines, columns] = linesOf(tensor);
    const to = heard + 2 * tensor.from;
    const at = tensor.isTurned ? turnedCodes : to;
    const status = isDense ? calls.decodeDenseTensor(at, lines, columns) : calls.decodeTensor(at, lines, columns);
    if (status < 0) return false;
    if (tensor.isTurned) calls.transposeCodes(turnedCodes, lines, columns, to);
    return true;
  }
}

function linesOf({ rows, columns, isTurned }: PlacedTensor): [lines: number, columns: number] {
  return isTurned ? [columns, rows] : [rows, columns];
}
