/** Number types of the modules that are written here, as the binary format has them. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export type NumberType = typeof I32 | typeof I64;

/** A function to be written. */
export interface WrittenFunction {
  readonly params: readonly NumberType[];
  readonly results: readonly NumberType[];
  /** Besides the parameters. */
  readonly locals: readonly NumberType[];
  /** Instructions, without the last end. */
  readonly code: readonly number[];
}

/** A module to be written: a memory `m` of one page; functions `f0`, `f1` …, and variables `g0` … exported. */
export interface WrittenModule {
  readonly functions: readonly WrittenFunction[];
  readonly globals: readonly NumberType[];
  /** Placed from 0 on. */
  readonly data: readonly number[];
}

const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const END = 0x0b;

/** An unsigned LEB128 number. @see WebAssembly Core Specification 1.0, section 5.2.2 */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    if (rest === 0) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** A signed LEB128 number. */
export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === (byte & 0x40 ? -1n : 0n)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** One section, or a body: its length, then itself. */
export function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes];
}

/** A module from its sections, each a number and what is in it. */
export function moduleOf(...sections: readonly (readonly [number, readonly number[]])[]): Uint8Array {
  return Uint8Array.from([...HEAD, ...sections.flatMap(([id, content]) => [id, ...sized(content)])]);
}

/** Items with their number in front. */
export function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

/** A name in UTF-8. */
export function nameOf(text: string): number[] {
  return sized([...new TextEncoder().encode(text)]);
}

/** The binary of a module. */
export function writeModule({ functions, globals, data }: WrittenModule): Uint8Array {
  const exported = (name: string, kind: number, number: number) => [...nameOf(name), kind, ...unsigned(number)];
  return moduleOf(
    [1, vector(functions.map(({ params, results }) => [0x60, ...sized(params), ...sized(results)]))],
    [3, vector(functions.map((_, i) => unsigned(i)))],
    [5, vector([[1, 1, 1]])],
    [6, vector(globals.map((type, i) => [type, 1, type === I32 ? 0x41 : 0x42, ...signed(BigInt(i - 1)), END]))],
    [
      7,
      vector([
        exported("m", 2, 0),
        ...functions.map((_, i) => exported(`f${i}`, 0, i)),
        ...globals.map((_, i) => exported(`g${i}`, 3, i)),
      ]),
    ],
    [10, vector(functions.map(bodyOf))],
    [11, vector([[0, 0x41, 0, END, ...sized(data)]])],
  );
}

function bodyOf({ locals, code }: WrittenFunction): number[] {
  return sized([...vector(locals.map((type) => [1, type])), ...code, END]);
}
