import type { Tokenizer } from "./tokenizer.ts";

const BYTES = 256;

/** Each byte of UTF-8 is a token by its value, and the beginning of a document is 256: no text is outside its vocabulary. */
export class ByteTokenizer implements Tokenizer {
  readonly kind = "byte";
  readonly vocabulary = BYTES + 1;
  readonly bos = BYTES;

  encode(text: string): Int32Array {
    return Int32Array.from(Buffer.from(text, "utf8"));
  }

  /** What is no UTF-8 becomes U+FFFD. */
  decode(ids: ArrayLike<number>): string {
    return Buffer.from(Array.from(ids).filter((id) => id < BYTES)).toString("utf8");
  }

  bytesOf(id: number): number {
    return id < BYTES ? 1 : 0;
  }

  toJson(): object {
    return { kind: this.kind };
  }
}
