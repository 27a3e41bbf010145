import { InvariantError } from "../../invariant-error.ts";

/** What GPT-2 cuts a text into, before bytes are joined. @see A. Radford et al. 2019, `encoder.py` */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
const BYTES = 256;
/** Pairs rarer than this are no tokens: they would be learned from too little. */
const LEAST_COUNT = 3;

/** Tokens of their own, and what they mean. */
export interface AddedToken {
  readonly content: string;
  /** No text encodes to it. */
  readonly isSpecial: boolean;
}

/**
 * A tokenizer of byte pairs, made from a text: bytes, and for as long as there is room the pair that is met most often, joined.
 *
 * @param size  tokens in all, added ones among them
 * @returns as `tokenizer.json` has it
 * @see P. Gage 1994; R. Sennrich, B. Haddow and A. Birch 2016, algorithm 1
 */
export function trainBytePairs(text: string, size: number, added: readonly AddedToken[]): object {
  if (size < BYTES + added.length) throw new InvariantError(`a tokenizer of bytes has ${BYTES} tokens at least`);
  const alphabet = byteAlphabet();
  const pieces = piecesOf(text, added, alphabet);
  const tokens = [...new Set(alphabet)].sort();
  const merges: Pair[] = [];
  const counts = new Map<string, number>();
  for (const piece of pieces) countPairs(piece, counts, 1);
  while (added.length + tokens.length < size) {
    const best = mostFrequent(counts);
    if (best === undefined) break;
    merges.push(best);
    tokens.push(best.join(""));
    for (const piece of pieces) {
      if (!hasPair(piece, best)) continue;
      countPairs(piece, counts, -1);
      join(piece.symbols, best);
      countPairs(piece, counts, 1);
    }
  }
  return tokenizerFile(tokens, merges, added);
}

type Pair = readonly [left: string, right: string];

interface Piece {
  readonly symbols: string[];
  readonly count: number;
}

function piecesOf(text: string, added: readonly AddedToken[], alphabet: readonly string[]): Piece[] {
  const counts = new Map<string, number>();
  const plain = added.reduce((rest, { content }) => rest.replaceAll(content, "\n"), text);
  for (const [piece] of plain.matchAll(PIECES)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  return [...counts].map(([piece, count]) => ({
    symbols: Array.from(Buffer.from(piece), (byte) => alphabet[byte] as string),
    count,
  }));
}

/** @param sign  1: they are there from now on; -1: no longer */
function countPairs({ symbols, count }: Piece, counts: Map<string, number>, sign: 1 | -1): void {
  for (let at = 1; at < symbols.length; at += 1) {
    const pair = `${symbols[at - 1]} ${symbols[at]}`;
    counts.set(pair, (counts.get(pair) ?? 0) + sign * count);
  }
}

/** Of pairs that are met equally often the first in order of code units: the same text gives the same tokenizer. */
function mostFrequent(counts: ReadonlyMap<string, number>): Pair | undefined {
  let best: string | undefined;
  let most = LEAST_COUNT - 1;
  for (const [pair, count] of counts) {
    if (count > most || (count === most && best !== undefined && pair < best)) [best, most] = [pair, count];
  }
  const [left, right] = best?.split(" ") ?? [];
  return left === undefined || right === undefined ? undefined : [left, right];
}

function hasPair({ symbols }: Piece, [left, right]: Pair): boolean {
  return symbols.some((symbol, at) => symbol === left && symbols[at + 1] === right);
}

function join(symbols: string[], [left, right]: Pair): void {
  for (let at = 1; at < symbols.length; at += 1) {
    if (symbols[at - 1] === left && symbols[at] === right) symbols.splice(at - 1, 2, left + right);
  }
}

/** A printable character for each byte, as GPT-2's tokenizers have them: what is no printable one of Latin-1 follows from 256 on. */
function byteAlphabet(): string[] {
  let next = BYTES;
  return Array.from({ length: BYTES }, (_, byte) => {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(isPrintable ? byte : next++);
  });
}

function tokenizerFile(tokens: readonly string[], merges: readonly Pair[], added: readonly AddedToken[]) {
  const ids = new Map([...added.map(({ content }) => content), ...tokens].map((token, id) => [token, id]));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map(({ content, isSpecial }, id) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
      special: isSpecial,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: PIECES.source }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries(ids),
      merges: merges.map((pair) => pair.join(" ")),
    },
  };
}
