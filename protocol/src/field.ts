/** One element of a frame: its name in SPEC.md and the least and greatest value, or length in bytes. */
export interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** An element of a stated range: a value, or a length in bytes. */
export function field(name: string, min: number, max: number): Field {
  return { name, min, max };
}

/** 0 … 2⁸−1 */
export function u8(name: string): Field {
  return field(name, 0, 0xff);
}

/** 0 … 2¹⁶−1 */
export function u16(name: string): Field {
  return field(name, 0, 0xffff);
}

/** 0 … 2³²−1 */
export function u32(name: string): Field {
  return field(name, 0, 0xffff_ffff);
}

/** 0 … 2⁵³−1 */
export function u53(name: string): Field {
  return field(name, 0, Number.MAX_SAFE_INTEGER);
}

/** ±(2⁵³−1) */
export function i53(name: string): Field {
  return field(name, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}
