import { readFileSync } from "node:fs";
import { DEVICE_WASM } from "./raw-device.ts";
import { FRAME_ROWS, SIGNAL_CHANNELS, type ThreeSignal } from "./three-signals.ts";

type Call =
  | "codecConfigure"
  | "codecReset"
  | "codecSetChannel"
  | "decodeBegin"
  | "decodeEnd"
  | "decodeRows"
  | "encodeBegin"
  | "encodeEnd"
  | "encodeRows"
  | "freeAddress"
  | "stateHash";
type Exported = Readonly<Record<Call, (...args: number[]) => number>> & { readonly memory: WebAssembly.Memory };

/** Samples of all channels in a frame. */
export const SAMPLES_IN_FRAME = FRAME_ROWS * SIGNAL_CHANNELS;
const PAYLOAD_BYTES = 16_384;

/** `device.wasm`, compiled once for all the ends of a test. */
export function deviceModule(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(DEVICE_WASM));
}

/** One end of the codec in Node, frame by frame, through the exports of `device.wasm`. */
export class CodecEnd {
  readonly #core: Exported;
  readonly #samples: number;
  readonly #statuses: number;
  readonly #payload: number;

  /** @throws {RangeError} for bounds that the codec refuses */
  constructor(module: WebAssembly.Module, bounds: ThreeSignal["bounds"]) {
    const core = new WebAssembly.Instance(module).exports as unknown as Exported;
    this.#core = core;
    expectStatus("codecConfigure", core.codecConfigure(bounds.length), 0);
    for (const [c, bound] of bounds.entries()) expectStatus("codecSetChannel", core.codecSetChannel(c, ...bound), 0);
    core.codecReset();
    this.#samples = core.freeAddress();
    this.#statuses = this.#samples + 4 * SAMPLES_IN_FRAME;
    this.#payload = this.#statuses + SAMPLES_IN_FRAME;
  }

  /**
   * Encode a frame.
   *
   * @param samples  shape (FRAME_ROWS, SIGNAL_CHANNELS), row-major, as `statuses`
   * @throws {RangeError} when the codec refuses it
   */
  encode(samples: readonly number[], statuses: readonly number[], isWithEvents: boolean): Uint8Array {
    const core = this.#core;
    new Int32Array(core.memory.buffer, this.#samples, SAMPLES_IN_FRAME).set(samples);
    this.#bytes(this.#statuses, SAMPLES_IN_FRAME).set(statuses);
    core.encodeBegin(Number(isWithEvents), this.#payload, PAYLOAD_BYTES);
    const rows = core.encodeRows(this.#samples, isWithEvents ? this.#statuses : 0, FRAME_ROWS);
    expectStatus("encodeRows", rows, FRAME_ROWS);
    return this.#bytes(this.#payload, core.encodeEnd()).slice();
  }

  /** Mirrors `encode`. @throws {RangeError} when the codec refuses it */
  decode(payload: Uint8Array, isWithEvents: boolean): { samples: Int32Array; statuses: Uint8Array } {
    const core = this.#core;
    this.#bytes(this.#payload, payload.length).set(payload);
    const begun = core.decodeBegin(Number(isWithEvents), FRAME_ROWS, this.#payload, payload.length);
    expectStatus("decodeBegin", begun, 0);
    expectStatus("decodeRows", core.decodeRows(this.#samples, this.#statuses, FRAME_ROWS), FRAME_ROWS);
    expectStatus("decodeEnd", core.decodeEnd(), 0);
    return {
      samples: new Int32Array(core.memory.buffer, this.#samples, SAMPLES_IN_FRAME).slice(),
      statuses: this.#bytes(this.#statuses, SAMPLES_IN_FRAME).slice(),
    };
  }

  stateHash(): number {
    return this.#core.stateHash() >>> 0;
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#core.memory.buffer, at, length);
  }
}

function expectStatus(call: string, status: number, wanted: number): void {
  if (status !== wanted) throw new RangeError(`${call} answers ${status}, not ${wanted}`);
}
