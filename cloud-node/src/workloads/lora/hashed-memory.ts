import { InvariantError } from "../../invariant-error.ts";
import { mixWords } from "../../tensor/random.ts";

/** Slots of each head for each entry, to begin with. */
const SLOTS_PER_ENTRY = 2;
const LEAST_SLOTS = 16;
/** Share of the heads that have to know an entry: there are more slots until it is so of all. */
const LEAST_AGREEMENT = 0.5;
/** A slot: fingerprint, and the entry's number from 1 on; 0 is an empty one. */
const SLOT_WORDS = 2;
const FINGERPRINT_SEED = 0x9e37_79b9;

/** What a key's slots say. */
export interface Found {
  /** Which entry, from 0 on. */
  readonly entry: number;
  /** Share of the heads that say so. */
  readonly agreement: number;
}

/**
 * Keys to entries in fixed arrays of integers, by several hash functions ("heads"), each with slots of its own. Where two keys
 * meet in a slot the first one has it; the other one is in other heads, half of them at least.
 *
 *     heads x slots x (fingerprint u32, entry + 1 u32)
 */
export class HashedMemory {
  readonly #heads: number;
  readonly #slots: number;
  readonly #words: Uint32Array;

  private constructor(heads: number, slots: number) {
    this.#heads = heads;
    this.#slots = slots;
    this.#words = new Uint32Array(heads * slots * SLOT_WORDS);
  }

  /** @param keys  each once @param heads  ≥ 1 */
  static of(keys: readonly string[], heads: number): HashedMemory {
    if (heads < 1 || new Set(keys).size < keys.length)
      throw new InvariantError("a memory has heads, and each key once");
    let slots = LEAST_SLOTS;
    while (slots < SLOTS_PER_ENTRY * keys.length) slots *= 2;
    for (;;) {
      const memory = new HashedMemory(heads, slots);
      for (const [entry, key] of keys.entries()) memory.#put(key, entry);
      if (keys.every((key) => (memory.find(key)?.agreement ?? 0) >= LEAST_AGREEMENT)) return memory;
      slots *= 2;
    }
  }

  /** Of all its arrays. */
  get bytes(): number {
    return this.#words.byteLength;
  }

  /** @returns undefined where fewer heads than half know the key */
  find(key: string): Found | undefined {
    const votes = new Map<number, number>();
    const wanted = fingerprint(key);
    for (let head = 0; head < this.#heads; head += 1) {
      const at = this.#slotOf(key, head);
      const entry = this.#words[at + 1] as number;
      if (entry > 0 && this.#words[at] === wanted) votes.set(entry - 1, (votes.get(entry - 1) ?? 0) + 1);
    }
    const [best] = [...votes].sort(([a, m], [b, n]) => n - m || a - b);
    if (best === undefined || best[1] < LEAST_AGREEMENT * this.#heads) return undefined;
    return { entry: best[0], agreement: best[1] / this.#heads };
  }

  #put(key: string, entry: number): void {
    for (let head = 0; head < this.#heads; head += 1) {
      const at = this.#slotOf(key, head);
      if (this.#words[at + 1] !== 0) continue;
      this.#words[at] = fingerprint(key);
      this.#words[at + 1] = entry + 1;
    }
  }

  /** Of the slot's first word. */
  #slotOf(key: string, head: number): number {
    return (head * this.#slots + (hashOf(key, head) & (this.#slots - 1))) * SLOT_WORDS;
  }
}

function fingerprint(key: string): number {
  return hashOf(key, FINGERPRINT_SEED);
}

/** u32, over the key's code units. */
function hashOf(key: string, seed: number): number {
  let hash = mixWords(seed, key.length);
  for (let at = 0; at < key.length; at += 1) hash = mixWords(hash, key.charCodeAt(at));
  return hash;
}
