import { expect, test } from "vitest";
import { isPageCurrent, thirdPartyPage } from "./licences.js";
import { publishedFolders, readLock, refused, thirdParties } from "./third-party.js";

/** A lock file of three packages, one of them in two versions. */
const LOCK = {
  packages: {
    ours: { version: "1.0.0", dependencies: { beside: "1.0.0", kept: "^1.0.0" }, optionalDependencies: { extra: "1" } },
    "cloud-node": { version: "1.0.0", devDependencies: {} },
    "node_modules/assemblyscript": { version: "1.0.0", license: "Apache-2.0" },
    "node_modules/beside": { resolved: "beside", link: true },
    beside: { version: "1.0.0", dependencies: { kept: "^2.0.0" } },
    "node_modules/extra": {
      version: "1.2.3",
      license: "GPL-3.0-only",
      dependencies: { kept: "^1.0.0" },
      optional: true,
    },
    "node_modules/kept": { version: "1.0.0", license: "MIT" },
    "beside/node_modules/kept": { version: "2.0.0", license: "ISC" },
    "node_modules/tool": { version: "1.0.0", license: "GPL-3.0-only", dev: true },
    "node_modules/wabt": { version: "1.0.0", license: "Apache-2.0" },
  },
};

test("what a package leads to is found as Node finds it: through our own packages, and the nearest version first", () => {
  const found = thirdParties(LOCK, ["ours"]);
  expect(found).toEqual([
    { name: "extra", version: "1.2.3", licence: "GPL-3.0-only", isOptional: true, neededBy: ["ours"] },
    { name: "kept", version: "1.0.0", licence: "MIT", isOptional: false, neededBy: ["ours"] },
    { name: "kept", version: "2.0.0", licence: "ISC", isOptional: false, neededBy: ["ours"] },
  ]);
});

test("a licence that is on no list is refused, and so is one that nobody says", () => {
  expect(refused(thirdParties(LOCK, ["ours"])).map(({ name }) => name)).toEqual(["extra"]);
  const party = { name: "x", version: "1.0.0", isOptional: false, neededBy: [] };
  expect(
    refused([
      { ...party, licence: "unknown" },
      { ...party, licence: "EPL-2.0" },
    ]),
  ).toHaveLength(2);
  expect(refused([{ ...party, name: "sparkplug-payload", licence: "EPL-2.0" }])).toEqual([]);
});

test("a package that the lock file has not is an error", () => {
  const packages = { ours: { dependencies: { gone: "1.0.0" } } };
  expect(() => thirdParties({ packages }, ["ours"])).toThrow(/ours needs gone/);
});

test("every package that comes along has a licence that is allowed, and docs/THIRD-PARTY.md is up to date", () => {
  const [lock, folders] = [readLock(), publishedFolders()];
  const parties = thirdParties(lock, folders);
  expect(parties.length).toBeGreaterThan(100);
  expect(refused(parties)).toEqual([]);
  for (const folder of folders) {
    const direct = Object.keys(lock.packages[folder]?.dependencies ?? {}).filter((name) => !isOurs(name));
    const listed = parties.filter(({ neededBy }) => neededBy.includes(folder)).map(({ name }) => name);
    expect(listed).toEqual(expect.arrayContaining(direct));
  }
  expect(thirdPartyPage(lock, folders)).not.toContain("unknown");
  expect(isPageCurrent(), "type npm run licences").toBe(true);
});

function isOurs(name: string): boolean {
  return name.startsWith("@lockstep/") || name === "qemu-wasm-runner";
}
