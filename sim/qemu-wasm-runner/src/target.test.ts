import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { moduleFlags } from "./compile.ts";
import { targetOf } from "./target.ts";

const MAKE_RULES = readFileSync(
  new URL("../../../firmware-examples/board-support/firmware.mk", import.meta.url),
  "utf8",
);

/** What the rules of the examples say of a board, as a shell would split it. */
function ruleOf(board: string, variable: string): string[] {
  const part =
    MAKE_RULES.replaceAll("\\\n", " ")
      .split(`ifeq ($(BOARD),${board})`)[1]
      ?.split(/^(?:else|endif)/m)[0] ?? "";
  return (
    new RegExp(`^${variable} *[:?]= (.*)$`, "m")
      .exec(part)?.[1]
      ?.split(" ")
      .filter((word) => word !== "") ?? []
  );
}

test.for(["mps2-an386", "riscv32-virt"] as const)(
  "%s is compiled, linked and started by the examples' make rules as by the runner",
  (board) => {
    const { cpuFlags, linkFlags, boardSources, emulator } = targetOf(board);
    expect(ruleOf(board, "CPU")).toEqual([...cpuFlags]);
    const small = moduleFlags({ target: targetOf(board), optimize: "-Os" });
    expect(["-w", "-DWASM_RT_PLAIN_LOADS", ...ruleOf(board, "CORE_FLAGS")]).toEqual(small);
    expect(["-T", ...ruleOf(board, "SCRIPT")]).toEqual([...linkFlags]);
    // The examples are left by no long jump, and bring a clock of their own.
    const sources = boardSources.filter((name) => name !== "jump.c");
    expect(ruleOf(board, "BOARDS")).toEqual(expect.arrayContaining(sources));
    if (emulator?.kind !== "system") expect.fail("a whole machine is expected");
    const [tool, ...args] = ruleOf(board, "QEMU");
    expect(tool).toBe(emulator.tool);
    expect(args.slice(0, 2)).toEqual(emulator.args.slice(0, 2));
    expect(ruleOf(board, "LOADER")).toEqual([emulator.loader]);
  },
);
