import { expect, test } from "vitest";
import { readMapSizes } from "./map-sizes.ts";

const MAP = `
Discarded input sections

 .text.unused   0x00000000      0x999 /tmp/x/module-0-core.o

Linker script and memory map

LOAD /tmp/x/module-0-core.o
.text           0x00000000      0x100
 *(.vectors)
 .vectors       0x00000000       0x40 /tmp/x/board-1-cortex-m.o
 .text.w2c_core_update
                0x00000040       0x24 /tmp/x/module-0-core.o
 .text          0x00000064       0x10 /usr/lib/gcc/arm-none-eabi/12.2.1/libgcc.a(_udivdi3.o)
 *fill*         0x00000074        0x4
                0x00000078                a_symbol = .
.rodata         0x00000100        0x8
 .rodata.name   0x00000100        0x8 /tmp/x/program-7-main.o
.stack          0x20000000     0x2000
.data           0x20002000        0x4
 .data.start    0x20002000        0x4 /tmp/x/runtime-4-wasm-rt.o
.bss            0x20002004       0x34
 .bss.memory    0x20002004       0x20 /tmp/x/module-8-module-state.o
 COMMON         0x20002024       0x10 /tmp/x/program-7-main.o
.comment        0x00000000       0x45
 .comment       0x00000000       0x45 /tmp/x/module-0-core.o
`;

test("every section goes to the part that its object is named after, a library's to the run time", () => {
  const none = { codeBytes: 0, constantBytes: 0, dataBytes: 0, zeroedBytes: 0 };
  expect(readMapSizes(MAP)).toEqual({
    parts: {
      module: { ...none, codeBytes: 0x24, zeroedBytes: 0x20 },
      runtime: { ...none, codeBytes: 0x10, dataBytes: 4 },
      program: { ...none, constantBytes: 8, zeroedBytes: 0x10 },
      board: { ...none, codeBytes: 0x40 },
    },
    stackBytes: 0x2000,
  });
});

test("a map without a stack is that of a program that an operating system starts", () => {
  expect(readMapSizes(MAP.replace(/^\.stack.*\n/m, "")).stackBytes).toBe(0);
});
