/* setjmp and longjmp: the registers that a call preserves, kept and put back. */
#include <setjmp.h>

/* Parameters are used where the calling convention puts them. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wreturn-type"

#if defined(__arm__)

__attribute__((naked)) int setjmp(jmp_buf place) {
  __asm__ volatile(
      ".syntax unified\n"
      "stmia r0!, {r4-r7}\n"
      "mov r1, r8\n"
      "mov r2, r9\n"
      "mov r3, r10\n"
      "stmia r0!, {r1-r3}\n"
      "mov r1, r11\n"
      "mov r2, sp\n"
      "mov r3, lr\n"
      "stmia r0!, {r1-r3}\n"
      "movs r0, #0\n"
      "bx lr\n");
}

__attribute__((naked)) void longjmp(jmp_buf place, int value) {
  __asm__ volatile(
      ".syntax unified\n"
      "adds r0, #16\n"
      "ldmia r0!, {r2-r4}\n"
      "mov r8, r2\n"
      "mov r9, r3\n"
      "mov r10, r4\n"
      "ldmia r0!, {r2-r4}\n"
      "mov r11, r2\n"
      "mov sp, r3\n"
      "mov lr, r4\n"
      "subs r0, #40\n"
      "ldmia r0!, {r4-r7}\n"
      "movs r0, r1\n"
      "bx lr\n");
}

#elif defined(__riscv) && __riscv_xlen == 32

__attribute__((naked)) int setjmp(jmp_buf place) {
  __asm__ volatile(
      "sw ra, 0(a0)\nsw sp, 4(a0)\n"
      "sw s0, 8(a0)\nsw s1, 12(a0)\nsw s2, 16(a0)\nsw s3, 20(a0)\n"
      "sw s4, 24(a0)\nsw s5, 28(a0)\nsw s6, 32(a0)\nsw s7, 36(a0)\n"
      "sw s8, 40(a0)\nsw s9, 44(a0)\nsw s10, 48(a0)\nsw s11, 52(a0)\n"
      "li a0, 0\n"
      "ret\n");
}

__attribute__((naked)) void longjmp(jmp_buf place, int value) {
  __asm__ volatile(
      "lw ra, 0(a0)\nlw sp, 4(a0)\n"
      "lw s0, 8(a0)\nlw s1, 12(a0)\nlw s2, 16(a0)\nlw s3, 20(a0)\n"
      "lw s4, 24(a0)\nlw s5, 28(a0)\nlw s6, 32(a0)\nlw s7, 36(a0)\n"
      "lw s8, 40(a0)\nlw s9, 44(a0)\nlw s10, 48(a0)\nlw s11, 52(a0)\n"
      "mv a0, a1\n"
      "ret\n");
}

#else
#error "setjmp is written for 32-bit Arm and RISC-V"
#endif
