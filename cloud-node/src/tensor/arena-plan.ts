import type { Address, Section } from "./tensor.ts";

/** 64 bytes of 32-bit numbers: everything starts on a cache line of its own. */
const ALIGNMENT = 16;

/** Lays out one section of the arena; what is given back is used again for the same size. */
export class ArenaPlan {
  readonly #section: Section;
  readonly #free = new Map<number, Address[]>();
  #size = 0;

  constructor(section: Section) {
    this.#section = section;
  }

  /** Numbers that the section takes. */
  get size(): number {
    return this.#size;
  }

  /** @returns a place for `count` numbers; what is in it at first is not defined */
  reserve(count: number): Address {
    const room = roomFor(count);
    const used = this.#free.get(room)?.pop();
    if (used !== undefined) return used;
    const address = { section: this.#section, offset: this.#size };
    this.#size += room;
    return address;
  }

  /** Let a place of `count` numbers be reserved again. */
  release(address: Address, count: number): void {
    const room = roomFor(count);
    const places = this.#free.get(room) ?? [];
    this.#free.set(room, [...places, address]);
  }
}

function roomFor(count: number): number {
  return Math.ceil(count / ALIGNMENT) * ALIGNMENT;
}
