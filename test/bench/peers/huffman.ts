import { BitReader, BitWriter } from "./bits.ts";

const SYMBOLS = 256;
/** A code length is written in four bits. */
const LONGEST_CODE = 15;
const LENGTH_BITS = 4;
/** Length 0 is followed by how many more zeros there are. */
const ZERO_RUN_BITS = 8;

/**
 * Bytes as canonical Huffman codes, behind a table of code lengths and the number of bytes.
 *
 * @see Huffman 1952, "A method for the construction of minimum-redundancy codes"
 */
export function huffmanEncode(bytes: Uint8Array): Uint8Array {
  const lengths = codeLengths(bytes);
  const codes = canonicalCodes(lengths);
  const out = new BitWriter();
  out.write(bytes.length, 32);
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    out.write(lengths[symbol] as number, LENGTH_BITS);
    if (lengths[symbol] !== 0) continue;
    let more = 0;
    while (more < SYMBOLS - 1 && lengths[symbol + 1] === 0) {
      more += 1;
      symbol += 1;
    }
    out.write(more, ZERO_RUN_BITS);
  }
  for (const byte of bytes) out.write(codes[byte] as number, lengths[byte] as number);
  return out.finish();
}

/** The bytes that `huffmanEncode` was given. */
export function huffmanDecode(encoded: Uint8Array): Uint8Array {
  const input = new BitReader(encoded);
  const bytes = new Uint8Array(input.read(32));
  const lengths = new Uint8Array(SYMBOLS);
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    lengths[symbol] = input.read(LENGTH_BITS);
    if (lengths[symbol] === 0) symbol += input.read(ZERO_RUN_BITS);
  }
  const codes = canonicalCodes(lengths);
  const symbolOf = new Map<number, number>();
  codes.forEach((code, symbol) => {
    const length = lengths[symbol] as number;
    if (length > 0) symbolOf.set((1 << length) | code, symbol);
  });
  for (let i = 0; i < bytes.length; i++) {
    let prefixed = 1;
    let symbol: number | undefined;
    while (symbol === undefined && prefixed < 2 << LONGEST_CODE) {
      prefixed = 2 * prefixed + input.read(1);
      symbol = symbolOf.get(prefixed);
    }
    bytes[i] = symbol ?? 0;
  }
  return bytes;
}

/** Lengths of an optimal code; where one is too long, of the optimal code for flatter counts. */
function codeLengths(bytes: Uint8Array): Uint8Array {
  let counts = new Array<number>(SYMBOLS).fill(0);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  let lengths = unlimitedLengths(counts);
  while (Math.max(...lengths) > LONGEST_CODE) {
    counts = counts.map((count) => Math.ceil(count / 2));
    lengths = unlimitedLengths(counts);
  }
  return lengths;
}

function unlimitedLengths(counts: readonly number[]): Uint8Array {
  const lengths = new Uint8Array(SYMBOLS);
  let nodes = counts.flatMap((count, symbol) => (count === 0 ? [] : [{ count, symbols: [symbol] }]));
  if (nodes.length === 1) for (const node of nodes) for (const symbol of node.symbols) lengths[symbol] = 1;
  while (nodes.length > 1) {
    nodes = nodes.sort((a, b) => b.count - a.count);
    const [left, right] = [nodes.pop(), nodes.pop()];
    if (left === undefined || right === undefined) break;
    const symbols = [...left.symbols, ...right.symbols];
    for (const symbol of symbols) lengths[symbol] = (lengths[symbol] as number) + 1;
    nodes.push({ count: left.count + right.count, symbols });
  }
  return lengths;
}

/** Codes in order of length, then symbol. */
function canonicalCodes(lengths: Uint8Array): Uint16Array {
  const codes = new Uint16Array(SYMBOLS);
  let code = 0;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      if (lengths[symbol] !== length) continue;
      codes[symbol] = code;
      code += 1;
    }
    code *= 2;
  }
  return codes;
}
