import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { decodeFrame, StreamDeframer } from "@lockstep/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFirmwareKit } from "../../scripts/firmware-kit.js";
import { programPath, requires } from "../os-package.ts";
import { DEVICE_WASM } from "./raw-device.ts";

const FLAGS = ["-Os", "-DNDEBUG", "-fno-strict-aliasing", "-Isrc"];

requires("c-compiler")("the firmware kit", () => {
  const scratch = mkdtempSync(join(tmpdir(), "firmware-kit-"));
  let kit: string;
  beforeAll(async () => {
    const { archive } = await makeFirmwareKit(scratch);
    const unpacked = join(scratch, "unpacked");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", archive, "-C", unpacked]);
    kit = join(unpacked, readdirSync(unpacked)[0] ?? "");
  }, 60_000);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  /** The compiler in the kit's folder, on a path where there is no Node. */
  function compile(...args: readonly string[]): void {
    const gcc = programPath("c-compiler");
    execFileSync(gcc, args, { cwd: kit, env: { PATH: `${dirname(gcc)}:/usr/bin:/bin` }, stdio: "pipe" });
  }

  test("compiles as its README says, and greets with the model that the cloud has", () => {
    const sources = ["src", "examples/linux-host"].flatMap((folder) =>
      readdirSync(join(kit, folder))
        .filter((file) => file.endsWith(".c"))
        .map((file) => join(folder, file)),
    );
    compile("@src/needed.flags", "-Os", "-w", "-Isrc", "-Iexamples/linux-host", ...sources, "-o", "linux-host");
    const output = execFileSync(join(kit, "linux-host"), ["--samples", "200", "--nonce", "7"], {
      input: "",
      stdio: ["pipe", "pipe", "ignore"],
    });
    const [birth] = new StreamDeframer().push(output).map(decodeFrame);
    expect(birth).toMatchObject({
      kind: "birth",
      model: createHash("sha256").update(readFileSync(DEVICE_WASM)).digest("hex"),
    });
  }, 60_000);

  test("can be called from C++, as a sketch does", () => {
    writeFileSync(
      join(kit, "sketch.cpp"),
      `#include "device.h"
       extern "C" void wasm_rt_trap(wasm_rt_trap_t) { for (;;) {} }
       static device one;
       int main() { return device_open(&one, 7, 0, 0) == 0 ? 0 : 1; }`,
    );
    compile("-c", "-x", "c++", "-Wall", "-Werror", ...FLAGS, "sketch.cpp", "-o", "sketch.o");
    for (const name of ["core", "wasm-rt", "device"]) compile("-c", "-w", ...FLAGS, `src/${name}.c`, "-o", `${name}.o`);
    compile("sketch.o", "core.o", "wasm-rt.o", "device.o", "-o", "sketch");
  }, 60_000);

  test("says where its generated files are from, and names every file of src in its README", () => {
    const readme = readFileSync(join(kit, "README.md"), "utf8");
    const sources = readdirSync(join(kit, "src"));
    expect(sources).toContain("core.c");
    for (const file of sources) expect(readme).toContain(file);
    for (const file of sources.filter((name) => name.startsWith("core"))) {
      expect(readFileSync(join(kit, "src", file), "utf8")).toMatch(
        /^\/\* Made by `npm run firmware-kit` from .*do not edit/,
      );
    }
  });
});

requires("gcc-arm-none-eabi")("the firmware kit without a C library", () => {
  test("compiles for a bare Cortex-M4 as its README says, and needs nothing from outside but wasm_rt_trap", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "firmware-kit-"));
    try {
      const { folder } = await makeFirmwareKit(scratch);
      const readme = readFileSync(join(folder, "README.md"), "utf8");
      const command = /arm-none-eabi-gcc [\s\S]*?memory\.c/.exec(readme)?.[0].replaceAll(/\\\n\s*/g, "") ?? "none";
      execFileSync("sh", ["-ec", command], { cwd: folder, stdio: "pipe" });
      const objects = readdirSync(folder).filter((file) => file.endsWith(".o"));
      expect(objects.length).toBeGreaterThan(5);
      execFileSync("arm-none-eabi-ld", ["-r", ...objects, "-o", "all.o"], { cwd: folder, stdio: "pipe" });
      const missing = execFileSync("arm-none-eabi-nm", ["-u", "all.o"], { cwd: folder, encoding: "utf8" });
      const names = missing.split(/\s+/).filter((name) => /^[a-z_]\w+$/.test(name) && !name.startsWith("__aeabi_"));
      expect(names).toEqual(["wasm_rt_trap"]);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }, 60_000);
});

requires("cmake")("the firmware kit's CMake project", () => {
  test("builds the library", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "firmware-kit-"));
    try {
      const { folder } = await makeFirmwareKit(scratch);
      execFileSync("cmake", ["-S", folder, "-B", join(scratch, "made")], { stdio: "pipe" });
      execFileSync("cmake", ["--build", join(scratch, "made")], { stdio: "pipe" });
      expect(readdirSync(join(scratch, "made"))).toContain("liblockstep.a");
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }, 60_000);
});
