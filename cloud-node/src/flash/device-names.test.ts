import { expect, test } from "vitest";
import { chooseDevices } from "./device-names.ts";

const KNOWN = ["rotor-10", "rotor-2", "pump", "rotor-1", "drum"];

test.for([
  [["pump"], ["pump"], []],
  [["nobody", "pump", "pump"], ["nobody", "pump"], []],
  [["rotor-*"], ["rotor-1", "rotor-2", "rotor-10"], []],
  [["*-1*"], ["rotor-1", "rotor-10"], []],
  [["*"], ["drum", "pump", "rotor-1", "rotor-2", "rotor-10"], []],
  [["rotor-2", "rotor-*"], ["rotor-2", "rotor-1", "rotor-10"], []],
  [["*um*", "x*"], ["drum", "pump"], ["x*"]],
  [["*um"], ["drum"], []],
  [["rotor-1*0", "ro*ro*1"], ["rotor-10"], ["ro*ro*1"]],
  [["pump*pump"], [], ["pump*pump"]],
] as const)("%j stands for %j, and %j for nobody", ([wishes, devices, unmatched]) => {
  expect(chooseDevices(wishes, KNOWN)).toEqual({ devices, unmatched });
});

test("a pattern that fits badly costs no more than one that fits well", () => {
  const known = Array.from({ length: 200 }, (_, n) => `${"a".repeat(60)}${n}`);
  expect(chooseDevices([`${"a*".repeat(31)}b`], known).devices).toEqual([]);
});
