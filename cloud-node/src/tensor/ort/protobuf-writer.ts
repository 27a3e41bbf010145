/** Bytes of a field that are fixed by its wire type. @see protobuf.dev, "Encoding" */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

const text = new TextEncoder();

/** Writes one message of Protocol Buffers, field by field; fields may be repeated. */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];

  /** A whole number, negative ones in 64 bits. */
  integer(field: number, value: number | bigint): this {
    this.#chunks.push(varint(tag(field, VARINT)), varint(BigInt.asUintN(64, BigInt(value))));
    return this;
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#chunks.push(varint(tag(field, FIXED_32)), bytes);
    return this;
  }

  bytes(field: number, bytes: Uint8Array): this {
    this.#chunks.push(varint(tag(field, LENGTH_DELIMITED)), varint(BigInt(bytes.length)), bytes);
    return this;
  }

  string(field: number, string: string): this {
    return this.bytes(field, text.encode(string));
  }

  message(field: number, message: ProtobufWriter): this {
    return this.bytes(field, message.finish());
  }

  /** Whole numbers of one repeated field, packed. */
  integers(field: number, values: readonly number[]): this {
    return this.bytes(field, join(values.map((value) => varint(BigInt.asUintN(64, BigInt(value))))));
  }

  finish(): Uint8Array {
    return join(this.#chunks);
  }
}

function tag(field: number, wireType: number): bigint {
  return BigInt(field * 8 + wireType);
}

/** Seven bits a byte, lowest first; the top bit says that more follow. */
function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
