import { spawnSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";
import { findProgram, osPackage } from "../../scripts/os-packages.js";

/** Programs whose version decides over figures, and how each says it. */
const PROGRAMS: readonly (readonly [name: string, flag: string])[] = [
  ["c-compiler", "--version"],
  ["gcc-arm-none-eabi", "--version"],
  ["gcc-riscv64-unknown-elf", "--version"],
  ["qemu-system-arm", "--version"],
  ["mosquitto", "-h"],
  ["nats-server", "--version"],
  ["redis-server", "--version"],
  ["chromium", "--version"],
  ["python3", "--version"],
];

/** The machine on which figures were reproduced, as rows of a table. */
export function describeMachine(root: string): [what: string, value: string][] {
  const commit = spawnSync("git", ["rev-parse", "--short=12", "HEAD"], { cwd: root, encoding: "utf8" }).stdout.trim();
  const changed = spawnSync("git", ["status", "--porcelain", "--untracked-files=no"], { cwd: root, encoding: "utf8" });
  return [
    ["processor", `${cpus()[0]?.model.trim() ?? "unknown"}, ${cpus().length} cores`],
    ["memory", `${(totalmem() / 2 ** 30).toFixed(1)} GiB`],
    ["system", `${type()} ${release().split("-")[0]}, ${process.arch}`],
    ["Node", process.versions.node],
    ["commit", `${commit}${changed.stdout.trim() === "" ? "" : ", with changes"}`],
    ...PROGRAMS.map(([name, flag]): [string, string] => [name, versionOf(name, flag)]),
  ];
}

function versionOf(name: string, flag: string): string {
  const program = findProgram(osPackage(name));
  if (program === undefined) return "not there";
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: "utf8", timeout: 10_000 });
  return (stdout || stderr).split("\n")[0]?.trim() ?? "";
}
