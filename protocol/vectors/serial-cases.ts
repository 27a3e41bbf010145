/** Golden serial lines: what frames become on a line, and what a receiver finds on one that is not whole. */

/** One golden line, its frames written by hand. */
export interface SerialCase {
  readonly name: string;
  readonly about: string;
  /** In order; each is written as `referenceLine` says. */
  readonly frames: readonly (readonly number[])[];
  /** The line where it is not just those frames: their lines, and what stands between them. */
  readonly line?: (lines: readonly (readonly number[])[]) => readonly number[];
  /** Pieces that a receiver leaves out, by reason. */
  readonly damaged?: Readonly<Record<string, number>>;
}

const counting = (length: number, period: number): number[] => Array.from({ length }, (_, i) => (i % period) + 1);
const nothing = (length: number): number[] => Array<number>(length).fill(0);
const text = (words: string): number[] => [...new TextEncoder().encode(words)];

export const SERIAL_CASES: readonly SerialCase[] = [
  { name: "one-byte", about: "The shortest frame.", frames: [[0x11]] },
  { name: "one-zero", about: "A frame that is a zero.", frames: [[0]] },
  { name: "digits", about: "The digits 1 to 9, whose checksum catalogues print: d64e.", frames: [text("123456789")] },
  { name: "zeros", about: "Nothing but zeros: a code byte of 1 for each.", frames: [nothing(20)] },
  { name: "zero-within", about: "Zeros at the start, within and at the end.", frames: [[0, 0x11, 0x22, 0, 0x33, 0]] },
  {
    name: "checksum-with-zero",
    about: "Frames whose checksums, 005e and f300, have a zero.",
    frames: [[0x76], [0xe1]],
  },
  ...[250, 251, 252, 253, 254, 255, 506, 507, 508].map((length) => ({
    name: `run-of-${length}`,
    about: `A run without zeros of ${length} bytes, around the 254 that one code byte can span.`,
    frames: [counting(length, 251)],
  })),
  { name: "run-then-zero", about: "254 bytes without a zero, then a zero.", frames: [[...counting(254, 251), 0]] },
  { name: "three-frames", about: "Frames one after the other.", frames: [[1, 2, 3], nothing(3), counting(300, 200)] },
  {
    name: "opened-line",
    about: "A sender puts a zero on a line that it opens; zeros may follow each other.",
    frames: [[1, 2, 3], [4]],
    line: ([first = [], second = []]) => [0, ...first, 0, 0, 0, ...second],
  },
  {
    name: "run-with-its-own-end",
    about: "Some encoders write a code byte after a full run that ends a frame; it stands for nothing.",
    frames: [counting(252, 251)],
    line: ([line = []]) => [...line.slice(0, -1), 1, 0],
  },
  {
    name: "boot-text",
    about: "Text of a boot loader, ended by the zero that opens the line, then a frame.",
    frames: [[1, 2, 3]],
    line: ([line = []]) => [...text("boot 1.2, flash ok\r\n"), 0, ...line],
    damaged: { "cut-short": 1 },
  },
  {
    name: "bit-turned",
    about: "Of three frames the second has one bit turned.",
    frames: [
      [1, 2, 3],
      [9, 9],
    ],
    line: ([first = [], second = []]) => [...first, ...first.with(2, 3), ...second],
    damaged: { "bad-checksum": 1 },
  },
  {
    name: "zero-lost",
    about: "The zero between two frames is lost: neither can be read, the third can.",
    frames: [[9, 9]],
    line: ([third = []]) => [...framed([1, 2, 3]).slice(0, -1), ...framed([4, 5, 6]), ...third],
    damaged: { "bad-checksum": 1 },
  },
  {
    name: "byte-lost",
    about: "A byte of a frame is lost: its code byte points past its end.",
    frames: [[9, 9]],
    line: ([line = []]) => [...framed([1, 2, 3]).toSpliced(2, 1), ...line],
    damaged: { "cut-short": 1 },
  },
  {
    name: "zeros-added",
    about: "A code byte of 1 added at the end of a frame stands for a zero, which the complemented checksum notices.",
    frames: [],
    line: () => [...framed([1, 2, 3]).slice(0, -1), 1, 0],
    damaged: { "bad-checksum": 1 },
  },
  {
    name: "no-frame",
    about: "Pieces that are no longer than a checksum.",
    frames: [],
    line: () => [1, 0, 2, 5, 0, 3, 0xff, 0xff, 0],
    damaged: { "too-short": 3 },
  },
];

/** What is written down of a case: byte strings as hexadecimal digits. */
export function serialVector({ about, frames, line, damaged = {} }: SerialCase): Record<string, unknown> {
  const lines = frames.map(framed);
  const isWhole = line === undefined;
  return { about, isWhole, line: hex(isWhole ? lines.flat() : line(lines)), frames: frames.map(hex), damaged };
}

/** The text of the specification, as literally as it can be written: checksum, stuffing, a zero. */
function framed(frame: readonly number[]): number[] {
  return [...stuffed([...frame, ...checksum(frame)]), 0];
}

/**
 * Between zeros, every run of bytes goes out in groups of up to 254 behind a code byte, which is one more than the group's
 * length; a group of 254 stands for itself, any other for itself and a zero, but for the last one.
 */
function stuffed(bytes: readonly number[]): number[] {
  const runs: number[][] = [[]];
  for (const byte of bytes) byte === 0 ? runs.push([]) : runs.at(-1)?.push(byte);
  return runs.flatMap((run, i) => {
    const groups = Array.from({ length: Math.ceil(run.length / 254) }, (_, g) => run.slice(254 * g, 254 * (g + 1)));
    const endsFull = run.length > 0 && run.length % 254 === 0;
    // The zero after a full group, and a run of no bytes, need a group of their own.
    if (run.length === 0 || (endsFull && i < runs.length - 1)) groups.push([]);
    return groups.flatMap((group) => [group.length + 1, ...group]);
  });
}

/** The division itself: x¹⁶ · frame, its first 16 bits turned over, modulo x¹⁶ + x¹² + x⁵ + 1; the remainder turned over. */
function checksum(frame: readonly number[]): number[] {
  let remainder = frame.reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n) << 16n;
  const length = 8 * frame.length + 16;
  remainder ^= 0xffffn << BigInt(length - 16);
  for (let bit = length - 1; bit >= 16; bit -= 1) {
    if ((remainder >> BigInt(bit)) & 1n) remainder ^= 0x11021n << BigInt(bit - 16);
  }
  const crc = Number(remainder) ^ 0xffff;
  return [crc >> 8, crc & 0xff];
}

function hex(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString("hex");
}
