import type { UpdateStore } from "@lockstep/edge-sdk";
import type { SeededRandom } from "@lockstep/sim";

/** The power went. */
export class PowerCut extends Error {
  override readonly name = "PowerCut";
}

/** Somebody did to the flash what no flash bears, or touched what may not be touched. */
export class FlashAbuse extends Error {
  override readonly name = "FlashAbuse";
}

/** When the power goes in the operation that it goes in. */
export type CutMode = "before" | "torn" | "after";

const SLOTS = 2;
const ERASED = 0xff;

/**
 * NOR flash: an erase sets the bits of a sector, a program clears bits of whole, erased write units, and a power cut leaves
 * any part of either undone. Boot records are two pages beside it that a cut tears as well.
 */
export class NorFlash implements UpdateStore {
  readonly slotBytes: number;
  readonly sectorBytes: number;
  readonly writeUnit: number;
  readonly #slots: Uint8Array[];
  readonly #records: Uint8Array[] = [new Uint8Array(), new Uint8Array()];
  readonly #random: SeededRandom;
  /** Slots that no operation may change. */
  guarded = new Set<number>();
  /** Operations so far. */
  operations = 0;
  /** Cut the power in this operation, counted from 0. */
  cut: { readonly at: number; readonly mode: CutMode } | undefined;
  /** Programs at these operations come to stand wrong. */
  readonly flipped = new Set<number>();

  constructor(random: SeededRandom, slotBytes = 8192, sectorBytes = 512, writeUnit = 8) {
    this.#random = random;
    this.slotBytes = slotBytes;
    this.sectorBytes = sectorBytes;
    this.writeUnit = writeUnit;
    this.#slots = Array.from({ length: SLOTS }, () => new Uint8Array(slotBytes).fill(ERASED));
  }

  erase(slot: number, address: number): void {
    this.#guard(slot);
    if (address % this.sectorBytes !== 0 || address >= this.slotBytes) throw new FlashAbuse(`erase at ${address}`);
    const sector = this.#slot(slot).subarray(address, address + this.sectorBytes);
    this.#operate(
      () => sector.fill(ERASED),
      () => {
        const done = this.#random.uniform();
        for (let i = 0; i < sector.length; i++)
          if (this.#random.uniform() < done) sector[i] = (sector[i] ?? 0) | this.#byte();
      },
    );
  }

  program(slot: number, address: number, bytes: Uint8Array): void {
    this.#guard(slot);
    const isWhole = address % this.writeUnit === 0 && bytes.length % this.writeUnit === 0 && bytes.length <= 256;
    const place = this.#slot(slot).subarray(address, address + bytes.length);
    if (!isWhole || bytes.length === 0 || place.length !== bytes.length) throw new FlashAbuse(`program at ${address}`);
    if (place.some((byte) => byte !== ERASED)) throw new FlashAbuse(`program of written flash at ${address}`);
    const wrong = this.flipped.has(this.operations) ? 1 : 0;
    this.#operate(
      () => place.set(bytes.map((byte, i) => (i === 0 ? byte & ~wrong : byte))),
      () => {
        for (let i = 0; i < place.length; i++) place[i] = (bytes[i] ?? 0) | this.#byte();
      },
    );
  }

  read(slot: number, address: number, length: number): Uint8Array {
    if (address + length > this.slotBytes) throw new FlashAbuse(`read to ${address + length}`);
    return this.#slot(slot).slice(address, address + length);
  }

  readRecord(copy: number): Uint8Array {
    return this.#records[copy] ?? new Uint8Array();
  }

  writeRecord(copy: number, bytes: Uint8Array): void {
    this.#operate(
      () => {
        this.#records[copy] = bytes.slice();
      },
      () => {
        const was = this.#records[copy] ?? new Uint8Array();
        this.#records[copy] = bytes.map((byte, i) => (this.#random.uniform() < 0.5 ? byte : (was[i] ?? ERASED)));
      },
    );
  }

  close(): void {}

  #operate(whole: () => unknown, torn: () => void): void {
    const isCut = this.cut?.at === this.operations;
    this.operations += 1;
    if (!isCut) {
      whole();
      return;
    }
    if (this.cut?.mode === "torn") torn();
    if (this.cut?.mode === "after") whole();
    throw new PowerCut();
  }

  #guard(slot: number): void {
    if (this.guarded.has(slot)) throw new FlashAbuse(`slot ${slot} is in use`);
  }

  #slot(slot: number): Uint8Array {
    const found = this.#slots[slot];
    if (found === undefined) throw new FlashAbuse(`no slot ${slot}`);
    return found;
  }

  #byte(): number {
    return this.#random.uint32() & 0xff;
  }
}
