import { expect, test } from "vitest";
import { readDisassembly } from "./disassembly.ts";

const ARM = `
t.elf:     file format elf32-littlearm

00000040 <board_tick>:
  40:	b5f8      	push	{r3, r4-r7, lr}
  42:	f000 f8ae 	bl	1ac <cpu_exit>
  46:	4770      	bx	lr
  48:	20000000 	.word	0x20000000

000001ac <cpu_exit>:
 1ac:	e8bd 4008 	ldmia.w	sp!, {r3, lr}
`;

const RISCV = `
8000005c <board_start>:
8000005c:	1141                	addi	sp,sp,-16
8000005e:	00112623          	sw	ra,12(sp)
`;

test("instructions have their width, their name without it, and the registers of their list", () => {
  const { instructions, functions } = readDisassembly(ARM);
  expect(instructions.get(0x40)).toEqual({ mnemonic: "push", bytes: 2, registers: 6 });
  expect(instructions.get(0x42)).toEqual({ mnemonic: "bl", bytes: 4, registers: 0 });
  expect(instructions.get(0x1ac)).toEqual({ mnemonic: "ldmia", bytes: 4, registers: 2 });
  expect(functions.get("board_tick")).toEqual({ start: 0x40, end: 0x4c });
  expect(functions.get("cpu_exit")).toEqual({ start: 0x1ac, end: 0x1b0 });
});

test("an instruction of RISC-V is two bytes or four", () => {
  const { instructions, functions } = readDisassembly(RISCV);
  expect(instructions.get(0x8000_005c)).toEqual({ mnemonic: "addi", bytes: 2, registers: 0 });
  expect(instructions.get(0x8000_005e)).toEqual({ mnemonic: "sw", bytes: 4, registers: 0 });
  expect(functions.get("board_start")).toEqual({ start: 0x8000_005c, end: 0x8000_0062 });
});
