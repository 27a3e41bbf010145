/**
 * The one place that installs anything outside the clone: Debian's packages, for root, on Debian or a descendant.
 */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { aptLine, isDebian } from "./os-packages.js";

/**
 * Install the missing packages where that is ours to do: as root on Debian.
 *
 * @param {import("./os-packages.js").OsPackage[]} rows
 * @param {(line: string) => void} say
 * @returns {boolean}  whether an install was tried and went well
 */
export function installOsPackages(rows, say) {
  if (rows.length === 0 || !isDebian() || process.getuid?.() !== 0) return false;
  say(`installing ${rows.map((row) => row.name).join(", ")}: ${aptLine(rows)}`);
  const names = rows.flatMap((row) => row.debian);
  return withoutStartingServices(() => {
    const install = () => apt("install", "-y", "--no-install-recommends", ...names);
    let result = install();
    if (result.status !== 0) {
      // The package lists may be missing or old: only then are they worth their minute.
      apt("update");
      result = install();
    }
    if (result.status !== 0) say(`${result.stdout}${result.stderr}`.trimEnd());
    return result.status === 0;
  });
}

function apt(...args) {
  return spawnSync("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=500", ...args], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/**
 * A test run must not leave a broker running on the machine: Debian asks this file before it starts a service, and
 * 101 says no. One that is already there is the administrator's, and stays.
 */
function withoutStartingServices(action) {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return action();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return action();
  } finally {
    rmSync(policy, { force: true });
  }
}
