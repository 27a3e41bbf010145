import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./sources.ts";

interface Manifest {
  readonly workspaces?: readonly string[];
  readonly version?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const LOCK_TEXT = readFileSync(join(ROOT, "package-lock.json"), "utf8");
const LOCKED = (JSON.parse(LOCK_TEXT) as { packages: Record<string, Manifest & { resolved?: string }> }).packages;
const ROOT_MANIFEST = readManifest("");
const FOLDERS = ["", ...(ROOT_MANIFEST.workspaces ?? [])];

test("every dependency is pinned to one exact version, the same one in every package", () => {
  const versions = new Map<string, string>();
  for (const folder of FOLDERS) {
    const { dependencies, devDependencies, optionalDependencies } = readManifest(folder);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      expect(version, `${name} in ${folder}/package.json`).toMatch(/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(versions.get(name) ?? version, `${name} in ${folder}/package.json`).toBe(version);
      versions.set(name, version);
    }
  }
  expect(versions.size).toBeGreaterThan(10);
});

test("the lock file names no host that packages were fetched from", () => {
  const fetched = Object.values(LOCKED).filter(({ resolved }) => resolved?.includes("://"));
  expect(fetched).toEqual([]);
});

test("the lock file covers every platform, wherever it was written", () => {
  const missing = Object.entries(LOCKED).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !(`node_modules/${name}` in LOCKED) && !(`${path}/node_modules/${name}` in LOCKED))
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test("a clone and the published command bring the same Node 24", () => {
  const { optionalDependencies: ofClone = {} } = ROOT_MANIFEST;
  expect(Object.keys(ofClone)).toHaveLength(5);
  expect(readManifest("cloud-node").optionalDependencies).toMatchObject(ofClone);
});

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Manifest;
}
