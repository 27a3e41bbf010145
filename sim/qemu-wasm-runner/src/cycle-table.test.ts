import { expect, test } from "vitest";
import { BOARDS } from "./board.ts";
import { type CycleTable, cyclesOf, cycleTableOf } from "./cycle-table.ts";

test("every board that counts has a table with its source, and no other board has one", () => {
  for (const { name, isCounting } of BOARDS) {
    expect(cycleTableOf(name) !== undefined, name).toBe(isCounting);
    if (isCounting) expect(cycleTableOf(name)?.source.length, name).toBeGreaterThan(20);
  }
});

// Cortex-M4: Arm 100166, table 3-1, at its most.
test.for([
  ["adds", 0, false, 1],
  ["ldr", 0, false, 2],
  ["strb", 0, false, 2],
  ["ldrd", 0, false, 3],
  ["push", 5, false, 6],
  ["pop", 5, true, 9], // with pc
  ["b", 0, true, 4],
  ["beq", 0, false, 1],
  ["bl", 0, true, 4],
  ["udiv", 0, false, 12],
  ["muls", 0, false, 1],
  ["mla", 0, false, 1],
  ["umull", 0, false, 1],
  ["smlal", 0, false, 1],
  ["ldmia.w", 9, true, 13], // with pc
  ["stmdb", 9, false, 10],
  ["tbb", 0, true, 5],
] as const)("on a Cortex-M4 %s with %i registers, taken %s, costs %i", ([mnemonic, registers, isTaken, cycles]) => {
  expect(cyclesOf(tableOf("mps2-an386"), mnemonic, registers, isTaken)).toBe(cycles);
});

test("what differs by core differs: multiplications, divisions and branches", () => {
  expect(cyclesOf(tableOf("cortex-m0"), "muls", 0, false)).toBe(32);
  expect(cyclesOf(tableOf("cortex-m0"), "ldr", 0, false)).toBe(2);
  expect(cyclesOf(tableOf("cortex-m0"), "bl", 0, true)).toBe(4);
  expect(cyclesOf(tableOf("cortex-m0"), "pop", 3, true)).toBe(7); // with pc
  expect(cyclesOf(tableOf("mps2-an385"), "mul", 0, false)).toBe(1);
  expect(cyclesOf(tableOf("mps2-an385"), "mla", 0, false)).toBe(2);
  expect(cyclesOf(tableOf("mps2-an385"), "umull", 0, false)).toBe(5);
  expect(cyclesOf(tableOf("mps2-an385"), "smlal", 0, false)).toBe(7);
  expect(cyclesOf(tableOf("mps2-an500"), "b", 0, true)).toBe(9);
  expect(cyclesOf(tableOf("riscv32-virt"), "lw", 0, false)).toBe(2);
  expect(cyclesOf(tableOf("riscv32-virt"), "lbu", 0, false)).toBe(3);
  expect(cyclesOf(tableOf("riscv32-virt"), "mulhu", 0, false)).toBe(5);
  expect(cyclesOf(tableOf("riscv32-virt"), "divu", 0, false)).toBe(34);
  // A branch may be mispredicted either way.
  expect(cyclesOf(tableOf("riscv32-virt"), "beqz", 0, false)).toBe(4);
  expect(cyclesOf(tableOf("riscv32-virt"), "beqz", 0, true)).toBe(4);
});

function tableOf(board: Parameters<typeof cycleTableOf>[0]): CycleTable {
  const table = cycleTableOf(board);
  expect(table).toBeDefined();
  return table as CycleTable;
}
