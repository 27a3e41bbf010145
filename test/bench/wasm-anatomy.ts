/** One part of a WebAssembly module. */
export interface WasmSection {
  readonly name: string;
  /** Its number and length included. */
  readonly bytes: number;
}

/** Where the bytes of a module are. */
export interface WasmAnatomy {
  readonly bytes: number;
  /** In the order of the file, after a header of 8 bytes. */
  readonly sections: readonly WasmSection[];
  /** Bodies with their lengths, in order; names from the name section, empty without one. */
  readonly functions: readonly { readonly name: string; readonly bytes: number }[];
}

const HEADER_BYTES = 8;
const SECTION_NAMES = [
  "custom",
  "type",
  "import",
  "function",
  "table",
  "memory",
  "global",
  "export",
  "start",
  "element",
  "code",
  "data",
];
const CUSTOM = 0;
const CODE = 10;
const FUNCTION_NAMES = 1;

/**
 * Take a module apart. It must be valid: this reader checks nothing.
 *
 * @see WebAssembly Core Specification 1.0, sections 5.5 and A.7.4
 */
export function wasmAnatomy(module: Uint8Array): WasmAnatomy {
  const reader = new Reader(module, HEADER_BYTES);
  const sections: WasmSection[] = [];
  const bodies: number[] = [];
  const names = new Map<number, string>();
  while (reader.at < module.length) {
    const start = reader.at;
    const id = reader.byte();
    const end = reader.unsigned() + reader.at;
    const custom = id === CUSTOM ? reader.text() : "";
    if (id === CODE) {
      for (let count = reader.unsigned(); count > 0; count -= 1) {
        const at = reader.at;
        reader.at = reader.unsigned() + reader.at;
        bodies.push(reader.at - at);
      }
    } else if (custom === "name") {
      readNames(reader, end, names);
    }
    reader.at = end;
    sections.push({
      name: custom === "" ? (SECTION_NAMES[id] ?? `section ${id}`) : `custom "${custom}"`,
      bytes: end - start,
    });
  }
  return {
    bytes: module.length,
    sections,
    functions: bodies.map((bytes, i) => ({ name: names.get(i) ?? "", bytes })),
  };
}

function readNames(reader: Reader, end: number, names: Map<number, string>): void {
  while (reader.at < end) {
    const id = reader.byte();
    const next = reader.unsigned() + reader.at;
    if (id === FUNCTION_NAMES) {
      for (let count = reader.unsigned(); count > 0; count -= 1) names.set(reader.unsigned(), reader.text());
    }
    reader.at = next;
  }
}

class Reader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0;
  }

  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const length = this.unsigned();
    this.at += length;
    return new TextDecoder().decode(this.#bytes.subarray(this.at - length, this.at));
  }
}
