import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { BOARD_SUPPORT, STRICT } from "../conformance/c-host-build.ts";
import { programPath, requires } from "../os-package.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const OURS = ["slots.c", "boot-record.c", "crc32.c"].map((name) => join(BOARD_SUPPORT, name));

requires("c-compiler")("a module that was kept and traps again and again", () => {
  test("gives way to what was kept before it, and never to what was sent back or is being received", () => {
    const folder = mkdtempSync(join(tmpdir(), "slots-"));
    const host = join(folder, "host");
    const includes = [BOARD_SUPPORT, join(BOARD_SUPPORT, "boards")].map((path) => `-I${path}`);
    const sources = [here("slots-host.c"), here("simulated-flash.c"), ...OURS];
    try {
      execFileSync(programPath("c-compiler"), [...STRICT, "-O2", ...includes, "-o", host, ...sources]);
      const told = execFileSync(host, { encoding: "utf8" });
      expect(told.trim().split("\n")).toEqual([
        "kept-before 1",
        "sent-back 0",
        "being-replaced 0",
        "being-replaced-again 0",
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
