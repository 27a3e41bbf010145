import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PACKAGE = "sim/qemu-wasm-runner";
const FOLDER = mkdtempSync(join(tmpdir(), "stranger-"));
/** Of somebody who has installed the package, and nothing else. */
const PROJECT = join(FOLDER, "project");
const INSTALLED = join(PROJECT, "node_modules/qemu-wasm-runner");
const ENV = { ...process.env, HOME: join(FOLDER, "home"), PATH: `${join(FOLDER, "bin")}:${process.env.PATH}` };
const README = readFileSync(join(ROOT, PACKAGE, "README.md"), "utf8");
const ENOUGH_MS = 170_000;

beforeAll(() => {
  const packed = pack();
  mkdirSync(INSTALLED, { recursive: true });
  execFileSync("tar", ["xzf", packed, "--strip-components=1", "-C", INSTALLED]);
  const { dependencies } = JSON.parse(readFileSync(join(INSTALLED, "package.json"), "utf8"));
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(PROJECT, "node_modules", name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(PROJECT, "node_modules", name));
  }
  cpSync(join(INSTALLED, "examples"), join(PROJECT, "examples"), { recursive: true });
  // What npx and node are on the path of somebody with this Node.
  mkdirSync(join(FOLDER, "bin"));
  const shim = (name: string, line: string) => {
    writeFileSync(join(FOLDER, "bin", name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(FOLDER, "bin", name), 0o755);
  };
  shim("npx", `shift; exec "${process.execPath}" "${join(INSTALLED, "bin/qemu-wasm-runner.js")}" "$@"`);
  shim("node", `exec "${process.execPath}" "$@"`);
}, 60_000);

afterAll(() => rmSync(FOLDER, { recursive: true }));

/** Pack a copy: while it is packed, what the repository keeps elsewhere lies in it. @returns the tarball */
function pack(): string {
  const copy = join(FOLDER, "repository");
  for (const part of ["LICENSE-APACHE", "LICENSE-MIT", "firmware-examples/board-support", "scripts/pack-parts.js"]) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  cpSync(join(ROOT, PACKAGE), join(copy, PACKAGE), {
    recursive: true,
    filter: (path) => !path.includes("/node_modules"),
  });
  const npm = join(dirname(process.execPath), "npm");
  const args = ["pack", "--pack-destination", FOLDER, "--offline", "--loglevel", "error"];
  execFileSync(readdirSync(dirname(npm)).includes("npm") ? npm : "npm", args, {
    cwd: join(copy, PACKAGE),
    stdio: "pipe",
  });
  const [tarball = ""] = readdirSync(FOLDER).filter((name) => name.endsWith(".tgz"));
  return join(FOLDER, tarball);
}

/** Fenced blocks after a heading, up to the next one. */
function blocks(heading: string): { language: string; text: string }[] {
  const [, section = ""] = README.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return [...own.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({ language, text }));
}

/** Counts depend on the compiler's version: only where they are. */
function shape(text: string): string {
  return text.replace(/ *\d+/g, " #").trimEnd();
}

function type(line: string): string {
  try {
    return execFileSync("sh", ["-c", line], { cwd: PROJECT, env: ENV, stdio: ["ignore", "pipe", "pipe"] }).toString();
  } catch (error) {
    // A trap and a budget that is exceeded end with 1, and are told on standard output.
    const { status, stdout } = error as { status: number | null; stdout: Buffer };
    if (status === 1 && stdout.length > 0) return stdout.toString();
    throw error;
  }
}

const NEEDS = ["gcc-arm-none-eabi", "qemu-system-arm", "gcc-riscv64-unknown-elf", "qemu-system-riscv32"];

requires(...NEEDS)("the README of qemu-wasm-runner, to somebody who has installed it", () => {
  test("every command line gives what stands below it", { timeout: ENOUGH_MS }, () => {
    const typed = blocks("On the command line").filter(({ text }) => text.startsWith("$ "));
    const steps = typed.flatMap(({ text }) => text.split(/^\$ /m).slice(1));
    expect(steps.length).toBeGreaterThanOrEqual(4);
    for (const step of steps) {
      const [line = "", ...output] = step.split("\n");
      const [told, expected] = [type(line), output.join("\n")];
      if (line.includes(" bench ")) expect(shape(told), line).toBe(shape(expected));
      else expect(told.trimEnd(), line).toBe(expected.trimEnd());
    }
  });

  test("the program for Node prints what stands below it", { timeout: ENOUGH_MS }, () => {
    const [program, output] = blocks("From Node");
    expect(program?.language).toBe("js");
    writeFileSync(join(PROJECT, "mean.mjs"), program?.text ?? "");
    expect(shape(type("node mean.mjs"))).toBe(shape(output?.text ?? ""));
  });
});

test("the package has what its README names: examples, C of the boards, licences, and no notes of the compiler", () => {
  const files = readdirSync(INSTALLED, { recursive: true }).map(String);
  for (const name of ["examples/smooth.c", "board-support/boards/board.h", "LICENSE-MIT", "dist/cli.js"]) {
    expect(files).toContain(name);
  }
  expect(files.filter((name) => name.includes("tsbuildinfo"))).toEqual([]);
  for (const [, target = ""] of README.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
    expect(files, target).toContain(target);
  }
});
