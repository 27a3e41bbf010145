import { mixWords } from "../random.ts";

/** Which numbers stay, as a graph takes it; filled anew when the engine draws again. */
export class DropoutMask {
  /** 1 for what stays. */
  readonly kept: Uint8Array;
  /** What stays is multiplied by this. */
  readonly growth = new Float32Array(1);
  readonly #draw: Int32Array;
  readonly #rate: number;
  #last: readonly number[] = [];

  /** @param draw  a view of the three words that the kernel `dropout` takes */
  constructor(draw: Int32Array, count: number, rate: number) {
    this.kept = new Uint8Array(count);
    this.#draw = draw;
    this.#rate = rate;
  }

  /** As the words say now. */
  refresh(): void {
    const [key = 0, first = 0, isOn = 0] = this.#draw;
    const words = isOn === 0 ? [0] : [isOn, key, first];
    if (words.length === this.#last.length && words.every((word, at) => word === this.#last[at])) return;
    this.#last = words;
    if (isOn === 0) this.kept.fill(1);
    else this.#fill(key >>> 0, first >>> 0);
    this.growth[0] = isOn === 0 ? 1 : 1 / (1 - this.#rate);
  }

  #fill(key: number, first: number): void {
    const threshold = Math.floor(this.#rate * 2 ** 32);
    const { kept } = this;
    for (let at = 0; at < kept.length; at++) kept[at] = mixWords(key, (first + at) >>> 0) < threshold ? 0 : 1;
  }
}
