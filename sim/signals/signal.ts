/** One scalar of a signal. */
export interface SignalChannel {
  readonly name: string;
  readonly unit: string;
  /** Smallest and largest value it is expected to take; for a recording, those it does take. */
  readonly min: number;
  readonly max: number;
}

/** What a sensor would measure: rows of channel values at a fixed rate, the same ones for the same seed. */
export interface Signal {
  readonly channels: readonly SignalChannel[];
  /** Time between two samples, ns. */
  readonly periodNs: number;
  /** Samples there are, or Infinity. */
  readonly samples: number;
  /** Start reading from sample 0; readers are independent of each other, and all read the same. */
  read(): SignalReader;
}

/** Reads one signal forwards. */
export interface SignalReader {
  /**
   * The next sample.
   *
   * @param out  caller-owned, shape (channels); overwritten
   * @returns false at the end of the signal; `out` is then unchanged
   */
  next(out: Float64Array): boolean;
}

export type SignalErrorCode =
  | "unknown-signal"
  | "bad-parameter"
  | "cannot-read"
  | "bad-description"
  | "wrong-size"
  | "bad-row"
  | "empty";

/** A signal that cannot be made from what was given. */
export class SignalError extends Error {
  override readonly name = "SignalError";
  readonly code: SignalErrorCode;
  /** Where: a file, a line, a field, with what was found and what was expected. */
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: SignalErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    const place = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    super(`signal: ${code.replaceAll("-", " ")}: ${place.join(", ")}`, options);
    this.code = code;
    this.facts = facts;
  }
}

/** Time between two samples at a rate, ns. */
export function periodOfRate(rateHz: number): number {
  return Math.round(1e9 / rateHz);
}

/** Refuse a parameter outside its range. */
export function checkParameter(name: string, value: number, least: number, most: number): void {
  if (Number.isFinite(value) && value >= least && value <= most) return;
  throw new SignalError("bad-parameter", { parameter: name, value, least, most });
}
