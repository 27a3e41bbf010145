import { expect, test } from "vitest";
import { CommandError } from "../command-error.ts";
import { vectorBitsOf } from "./vector-bits.ts";

test("kernels are compiled for wide vectors unless LOCKSTEP_VECTOR_BITS says otherwise", () => {
  expect(vectorBitsOf({})).toBe(256);
  expect(vectorBitsOf({ LOCKSTEP_VECTOR_BITS: "256" })).toBe(256);
  expect(vectorBitsOf({ LOCKSTEP_VECTOR_BITS: "128" })).toBe(128);
  for (const text of ["", "64", "wide"])
    expect(() => vectorBitsOf({ LOCKSTEP_VECTOR_BITS: text })).toThrow(CommandError);
});
