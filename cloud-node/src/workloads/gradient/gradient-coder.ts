/** One tensor of a model: all coordinates lie in the order of the layout, row by row. */
export interface GradientTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * How values become codes; u = value / weight, D = the tensor's step.
 *
 *     error-bounded   |x - decoded| <= D weight / 2
 *     threshold       0 where |u| < D; beyond it bins of width D, the last of `levels` open-ended
 *     top-k           as threshold, which is chosen so that about `share` of all included coordinates are kept, of each
 *                     tensor or of the message; needs no steps
 *     stochastic      2 ... 8 bits, unbiased: E[decoded] = x; D comes from the tensor's largest |u|; needs no steps
 *
 * A decoder reads the mode from the message.
 */
export type CoderMode =
  | { readonly kind: "error-bounded" }
  | { readonly kind: "threshold"; readonly levels: number }
  | { readonly kind: "top-k"; readonly share: number; readonly levels: number; readonly of: "tensor" | "message" }
  | { readonly kind: "stochastic"; readonly bits: number };

/** What both ends know before a message, and must have the same bits of. */
export interface CoderControl {
  /** Bin width per tensor, in units of the weights, > 0; for error-bounded and threshold, encoder only (they travel). */
  readonly steps?: Float32Array;
  /** Unit of each coordinate, (N), finite and > 0; 1 when not given. */
  readonly weights?: Float32Array;
  /** What a coordinate is likely to be, (N), 0 ... 15: coordinates of one context are counted together. */
  readonly contexts?: Uint8Array;
  /** Per tensor: 0 leaves it out, which costs nothing; decoded as zeros. */
  readonly included?: Uint8Array;
}

const RATE = 5;
const CONTEXTS = 16;
const TREES = 64;

/** Codes the gradients of one layout: every worker has one, and decodes any worker's messages with it. */
export class GradientCoder {
  readonly #sizes: number[];
  readonly #count: number;
  /** May be changed between two messages. */
  mode: CoderMode;
  /** Of the stochastic mode: another one for each worker. */
  readonly #seed: number;

  constructor(layout: readonly GradientTensor[], mode: CoderMode, seed = 0) {
    this.#sizes = layout.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
    this.#count = this.#sizes.reduce((a, b) => a + b, 0);
    this.mode = mode;
    this.#seed = seed;
  }

  /** @param sent  out, (N): what a decoder will see, for error feedback */
  encode(values: Float32Array, control: CoderControl, step: number, sent?: Float32Array): Uint8Array {
    const codes = new Int32Array(this.#count);
    const params = new Float32Array(2 * this.#sizes.length);
    this.#quantize(values, control, step, codes, params);
    if (sent !== undefined) this.#dequantize(codes, params, control, sent.fill(0), 1);
    const head = new Uint8Array(16);
    const coder = new BitWriter();
    codeAll(coder, this.#sizes, codes, control);
    const body = coder.end();
    const used = this.#sizes.filter((_, t) => control.included?.[t] !== 0).length;
    const message = new Uint8Array(head.length + params.byteLength + body.length);
    void used;
    new DataView(message.buffer).setUint32(8, step, true);
    message.set(new Uint8Array(params.buffer), head.length);
    message.set(body, head.length + params.byteLength);
    return message;
  }

  /** out += factor * decoded. */
  decode(message: Uint8Array, control: CoderControl, _step: number, out: Float32Array, factor: number): void {
    const codes = new Int32Array(this.#count);
    const params = new Float32Array(message.slice(16, 16 + 8 * this.#sizes.length).buffer);
    codeAll(new BitReader(message.subarray(16 + params.byteLength)), this.#sizes, codes, control);
    this.#dequantize(codes, params, control, out, factor);
  }

  #quantize(x: Float32Array, control: CoderControl, step: number, codes: Int32Array, params: Float32Array): void {
    const { mode } = this;
    const unit = (i: number) => Math.fround((x[i] ?? 0) / (control.weights?.[i] ?? 1));
    const ranges: [number, number][] = [];
    let from = 0;
    for (const size of this.#sizes) {
      ranges.push([from, from + size]);
      from += size;
    }
    const isIn = (t: number) => control.included?.[t] !== 0;
    const kth = (sizes: number[], share: number) => {
      sizes.sort((a, b) => b - a);
      return Math.max(sizes[Math.max(0, Math.round(share * sizes.length) - 1)] ?? 0, 1e-30);
    };
    let shared = 0;
    if (mode.kind === "top-k" && mode.of === "message") {
      const all: number[] = [];
      ranges.forEach(([a, b], t) => {
        if (isIn(t)) for (let i = a; i < b; i += 1) all.push(Math.abs(unit(i)));
      });
      shared = kth(all, mode.share);
    }
    ranges.forEach(([a, b], t) => {
      if (!isIn(t)) return;
      let width = control.steps?.[t] ?? 1;
      if (mode.kind === "top-k") {
        const sizes: number[] = [];
        if (shared === 0) for (let i = a; i < b; i += 1) sizes.push(Math.abs(unit(i)));
        width = shared || kth(sizes, mode.share);
      } else if (mode.kind === "stochastic") {
        width = 0;
        for (let i = a; i < b; i += 1) width = Math.max(width, Math.abs(unit(i)));
        width = Math.max(width / (2 ** (mode.bits - 1) - 1), 1e-30);
      }
      const levels = mode.kind === "threshold" || mode.kind === "top-k" ? mode.levels : 0;
      let [excess, top] = [0, 0];
      for (let i = a; i < b; i += 1) {
        const u = unit(i) / width;
        const size = Math.abs(u);
        let code = Math.round(size);
        if (levels > 0) code = Math.min(Math.floor(size), levels);
        else if (mode.kind === "stochastic") code = Math.floor(size + uniform(this.#seed ^ Math.imul(step, 0x9e3779b9), i));
        codes[i] = u < 0 ? -code : code;
        if (levels > 0 && code === levels) {
          top += 1;
          excess += size - levels;
        }
      }
      params[2 * t] = width;
      params[2 * t + 1] = top > 0 ? excess / top : 0;
    });
    if (mode.kind === "error-bounded" || mode.kind === "stochastic") {
      for (let t = 0; t < ranges.length; t += 1) params[2 * t + 1] = -1;
    } else for (let t = 0; t < ranges.length; t += 1) params[2 * t + 1] = (params[2 * t + 1] ?? 0) + mode.levels;
  }

  #dequantize(codes: Int32Array, params: Float32Array, control: CoderControl, out: Float32Array, factor: number): void {
    let i = 0;
    this.#sizes.forEach((size, t) => {
      const [width, last] = [params[2 * t] ?? 0, params[2 * t + 1] ?? 0];
      const levels = Math.floor(last);
      for (const end = i + size; i < end; i += 1) {
        const code = codes[i] ?? 0;
        if (code === 0) continue;
        const level = Math.abs(code);
        const place = last < 0 ? level : level >= levels ? last : level + 0.45;
        const value = Math.sign(code) * Math.fround(place * width) * (control.weights?.[i] ?? 1);
        out[i] = Math.fround((out[i] ?? 0) + Math.fround(factor * Math.fround(value)));
      }
    });
  }
}

function uniform(seed: number, index: number): number {
  let x = Math.imul(index ^ seed, 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  x = Math.imul(x ^ (x >>> 16) ^ seed, 0x7feb352d);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

interface BitCoder {
  bit(models: Uint16Array, at: number, bit: number): number;
}

function codeAll(coder: BitCoder, sizes: readonly number[], codes: Int32Array, { contexts, included }: CoderControl): void {
  const zero = new Uint16Array(CONTEXTS * 9).fill(1 << 12);
  const sign = new Uint16Array(CONTEXTS).fill(1 << 15);
  const more = new Uint16Array(CONTEXTS * TREES).fill(1 << 15);
  let i = 0;
  sizes.forEach((size, t) => {
    const end = i + size;
    if (included?.[t] === 0) i = end;
    let near = 0;
    for (; i < end; i += 1) {
      const context = contexts?.[i] ?? 0;
      const code = codes[i] ?? 0;
      const isOn = coder.bit(zero, context * 9 + near, code === 0 ? 0 : 1);
      near = isOn ? Math.min(8, near + 4) : near > 0 ? near - 1 : 0;
      if (isOn === 0) continue;
      const isNegative = coder.bit(sign, context, code < 0 ? 1 : 0);
      let level = 1;
      while (coder.bit(more, context * TREES + Math.min(level, TREES - 1), Math.abs(code) > level ? 1 : 0)) level += 1;
      codes[i] = isNegative ? -level : level;
    }
  });
}

class BitWriter implements BitCoder {
  readonly #bytes: number[] = [];
  #low = 0;
  #high = 0xffffffff;

  bit(models: Uint16Array, at: number, bit: number): number {
    const p = models[at] ?? 0;
    const middle = this.#low + Math.floor(((this.#high - this.#low) * p) / 65536);
    if (bit) this.#high = middle;
    else this.#low = middle + 1;
    models[at] = p + (bit ? (65504 - p) >> RATE : -((p - 32) >> RATE));
    while ((this.#low ^ this.#high) >>> 24 === 0) {
      this.#bytes.push(this.#high >>> 24);
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
    }
    return bit;
  }

  end(): Uint8Array {
    for (let k = 0; k < 4; k += 1) this.#bytes.push((this.#low >>> (24 - 8 * k)) & 255);
    return Uint8Array.from(this.#bytes);
  }
}

class BitReader implements BitCoder {
  readonly #bytes: Uint8Array;
  #next = 0;
  #low = 0;
  #high = 0xffffffff;
  #code = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    for (let k = 0; k < 4; k += 1) this.#shift();
  }

  #shift(): void {
    this.#code = ((this.#code << 8) | (this.#bytes[this.#next++] ?? 0)) >>> 0;
  }

  bit(models: Uint16Array, at: number): number {
    const p = models[at] ?? 0;
    const middle = this.#low + Math.floor(((this.#high - this.#low) * p) / 65536);
    const bit = this.#code <= middle ? 1 : 0;
    if (bit) this.#high = middle;
    else this.#low = middle + 1;
    models[at] = p + (bit ? (65504 - p) >> RATE : -((p - 32) >> RATE));
    while ((this.#low ^ this.#high) >>> 24 === 0) {
      this.#shift();
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
    }
    return bit;
  }
}
