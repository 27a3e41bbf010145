import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { aptLine, findProgram, mustRunAll, OS_PACKAGES, osPackage } from "./os-packages.js";

test("every row says how it is asked for, what finds it, what installs it and what needs it", () => {
  expect(OS_PACKAGES.length).toBeGreaterThan(2);
  expect(new Set(OS_PACKAGES.map((row) => row.name)).size).toBe(OS_PACKAGES.length);
  for (const row of OS_PACKAGES) {
    expect(row.commands.length, row.name).toBeGreaterThan(0);
    expect(row.debian.length, row.name).toBeGreaterThan(0);
    expect(row.neededBy, row.name).not.toBe("");
  }
});

test("the line to type installs every package of the rows once, and nothing recommended beside them", () => {
  expect(aptLine([osPackage("mosquitto"), osPackage("c-compiler")])).toBe(
    "apt-get install -y --no-install-recommends mosquitto gcc libc6-dev",
  );
  expect(aptLine([osPackage("qemu-arm"), osPackage("qemu-aarch64")])).toMatch(/ qemu-user$/);
});

test("a name that is not in the table is refused, with the names that are", () => {
  expect(() => osPackage("mosquito")).toThrow(/no OS package "mosquito".*mosquitto/);
});

test.skipIf(process.platform === "win32")("a program counts as found only if it runs its proof", () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-programs-"));
  const row = { ...osPackage("c-compiler"), commands: ["lockstep-test-compiler"] };
  const program = join(folder, "lockstep-test-compiler");
  try {
    expect(findProgram(row, folder)).toBeUndefined();
    writeFileSync(program, "#!/bin/sh\nexit 1\n");
    expect(findProgram(row, folder)).toBeUndefined();
    chmodSync(program, 0o755);
    expect(findProgram(row, folder)).toBeUndefined();
    writeFileSync(program, '#!/bin/sh\ntest "$3" = stdio.h\n');
    expect(findProgram(row, folder)).toBe(program);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("nobody outside continuous integration must run everything", () => {
  expect(mustRunAll({})).toBe(false);
  expect(mustRunAll({ CI: "" })).toBe(false);
});
