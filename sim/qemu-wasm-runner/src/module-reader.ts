const CONST_I32 = 0x41;
const CONST_I64 = 0x42;
const CONST_F32 = 0x43;
const CONST_F64 = 0x44;
const GLOBAL_GET = 0x23;
const REF_NULL = 0xd0;
const REF_FUNC = 0xd2;
const END = 0x0b;

/** Reads the parts of a module's binary, which must have been validated: nothing here checks bounds. */
export class ModuleReader {
  position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  isDone(): boolean {
    return this.position >= this.#bytes.length;
  }

  skip(count: number): void {
    this.position += count;
  }

  byte(): number {
    return this.#bytes[this.position++] ?? 0;
  }

  /** An unsigned LEB128 number of up to 32 bits; of a longer or signed one only the length is of use. */
  uint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const length = this.uint();
    this.position += length;
    return new TextDecoder().decode(this.#bytes.subarray(this.position - length, this.position));
  }

  vector<T>(readItem: () => T): T[] {
    return Array.from({ length: this.uint() }, readItem);
  }

  /** Limits of a table or memory. */
  limits(): { least: number; most: number | null } {
    const hasMost = (this.byte() & 1) === 1;
    return { least: this.uint(), most: hasMost ? this.uint() : null };
  }

  /** Pass over a constant expression, up to and with its end. */
  skipConstant(): void {
    for (let opcode = this.byte(); opcode !== END; opcode = this.byte()) {
      if (opcode === CONST_F32) this.skip(4);
      else if (opcode === CONST_F64) this.skip(8);
      else if ([CONST_I32, CONST_I64, GLOBAL_GET, REF_FUNC, REF_NULL].includes(opcode)) this.uint();
    }
  }
}
