import { expect, test } from "vitest";
import { ProtobufWriter } from "./protobuf-writer.ts";

const hex = (writer: ProtobufWriter) => Buffer.from(writer.finish()).toString("hex");

// The examples of protobuf.dev, "Encoding".
test("whole numbers, strings, messages and packed numbers have the bytes of the specification's examples", () => {
  expect(hex(new ProtobufWriter().integer(1, 150))).toBe("089601");
  expect(hex(new ProtobufWriter().integer(1, -2))).toBe("08feffffffffffffffff01");
  expect(hex(new ProtobufWriter().string(2, "testing"))).toBe("120774657374696e67");
  expect(hex(new ProtobufWriter().message(3, new ProtobufWriter().integer(1, 150)))).toBe("1a03089601");
  expect(hex(new ProtobufWriter().integers(6, [3, 270, 86942]))).toBe("3206038e029ea705");
});

test("a float is four bytes, lowest first, and a field above 15 has a tag of two", () => {
  expect(hex(new ProtobufWriter().float(2, 1.5))).toBe("150000c03f");
  expect(hex(new ProtobufWriter().integer(20, 1))).toBe("a00101");
});
