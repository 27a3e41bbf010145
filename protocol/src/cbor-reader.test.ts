import { describe, expect, test } from "vitest";
import { CborReader } from "./cbor-reader.ts";
import { CborWriter } from "./cbor-writer.ts";
import { FrameError } from "./errors.ts";
import { field, i53, u53 } from "./field.ts";

const ANY = i53("any");
const LENGTH = field("length", 0, Number.MAX_SAFE_INTEGER);
const MAJORS = ["unsigned", "negative", "byte string", "text string", "array"] as const;
/** The least argument that each width, in bytes after the first, is the shortest form of; 0 is inside the first. */
const LEAST = [
  [0, 0],
  [1, 24],
  [2, 256],
  [4, 65_536],
  [8, 2 ** 32],
] as const;

describe.for([...MAJORS.entries()])("major type %i, %s", ([major]) => {
  test.for(LEAST)(
    "in a form of %i bytes begins at its least argument, and below it is not canonical",
    ([width, least]) => {
      if (width > 0) {
        expect(codeOf(() => readAs(major, header(major, width, least - 1)))).toBe("not-canonical");
        expect(codeOf(() => readAs(major, header(major, width, 0)))).toBe("not-canonical");
      }
      const code = codeOf(() => readAs(major, header(major, width, least)));
      // A string's length is not borne out here; that it is truncated shows that its form was taken.
      expect(code).toBe(least > 0 && (major === 2 || major === 3) ? "truncated" : undefined);
    },
  );

  test("in a reserved or indefinite form is not canonical", () => {
    for (const info of [28, 29, 30, 31]) {
      expect(codeOf(() => readAs(major, Uint8Array.of((major << 5) | info, 0, 0, 0, 0, 0, 0, 0, 0)))).toBe(
        "not-canonical",
      );
    }
  });

  test("that ends inside its argument is truncated", () => {
    for (const [width, least] of LEAST.slice(1)) {
      const whole = header(major, width, least);
      for (let length = 1; length < whole.length; length++) {
        expect(codeOf(() => readAs(major, whole.subarray(0, length)))).toBe("truncated");
      }
    }
    expect(codeOf(() => readAs(major, new Uint8Array()))).toBe("truncated");
  });

  test("where another stands has the wrong shape", () => {
    for (const other of [0, 2, 3, 4].filter((each) => each !== major && !(major === 1 && each === 0))) {
      expect(codeOf(() => readAs(other, header(major, 0, 0)))).toBe("wrong-shape");
    }
  });

  test("beyond 2⁵³−1 is out of range", () => {
    expect(codeOf(() => readAs(major, Uint8Array.of((major << 5) | 27, 0, 0x20, 0, 0, 0, 0, 0, 0)))).toBe(
      "out-of-range",
    );
    expect(codeOf(() => readAs(major, Uint8Array.of((major << 5) | 27, ...Array(8).fill(0xff))))).toBe("out-of-range");
  });
});

test("maps, tags, floats and simple values are not canonical, in every form", () => {
  for (let first = 0xa0; first <= 0xff; first++) {
    const bytes = Uint8Array.of(first, 1, 2, 3, 4, 5, 6, 7, 8);
    for (const major of [0, 1, 2, 3, 4]) {
      expect(codeOf(() => readAs(major, bytes))).toBe("not-canonical");
    }
  }
});

test("every integer at the edge of a form is written as it is read", () => {
  const edges = LEAST.flatMap(([, least]) => [least - 1, least, least + 1]);
  for (const size of [...edges, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER].filter((each) => each >= 0)) {
    for (const value of size === 0 ? [0] : [size, -size]) {
      const writer = new CborWriter();
      writer.int(value, ANY);
      const reader = new CborReader(writer.finish());
      expect(reader.int(ANY)).toBe(value);
      reader.end();
    }
  }
});

test("a value is refused just outside its field, and taken at its ends", () => {
  const narrow = field("narrow", -5, 300);
  for (const [value, code] of [
    [-6, "out-of-range"],
    [-5, undefined],
    [300, undefined],
    [301, "out-of-range"],
  ] as const) {
    const writer = new CborWriter();
    writer.int(value, ANY);
    expect(codeOf(() => new CborReader(writer.finish()).int(narrow))).toBe(code);
    expect(codeOf(() => new CborWriter().int(value, narrow))).toBe(code);
  }
  expect(codeOf(() => new CborReader(Uint8Array.of(4)).uint(field("from five", 5, 9)))).toBe("out-of-range");
  expect(codeOf(() => new CborReader(Uint8Array.of(0x20)).uint(u53("unsigned")))).toBe("out-of-range");
});

test("bytes after the item are trailing", () => {
  const reader = new CborReader(Uint8Array.of(1, 2));
  reader.uint(ANY);
  expect(() => reader.end()).toThrow("frame: trailing-bytes at byte 1: need 1, have 2");
});

function readAs(major: number, bytes: Uint8Array): unknown {
  const reader = new CborReader(bytes);
  switch (major) {
    case 2:
      return reader.byteString(LENGTH);
    case 3:
      return reader.text(LENGTH);
    case 4:
      return reader.array(LENGTH);
    default:
      return reader.int(ANY);
  }
}

/** An item's first bytes with an argument in a form of `width` bytes, shortest or not. */
function header(major: number, width: number, argument: number): Uint8Array {
  if (width === 0) {
    return Uint8Array.of((major << 5) | argument);
  }
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(BigInt(argument), 1);
  return Uint8Array.of((major << 5) | (24 + Math.log2(width)), ...bytes.subarray(9 - width));
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof FrameError ? error.code : String(error);
  }
  return undefined;
}
