import { expect, test } from "vitest";
import { obstacles, readPackages } from "./release.js";
import { sbomWithin } from "./sbom.js";

const CHANGELOG = "# Changelog\n\n## 1.2.0\n\n2026-01-01.\n";
const PROTOCOL = ours("protocol", { yaml: "2.0.0" });
const SDK = ours("sdk", { "@x/protocol": "1.2.0" });
const TREE = { packages: [PROTOCOL, SDK], changes: "", isPageCurrent: true };

/** A package as a release may go out with it. */
function ours(folder: string, needs: Record<string, string>): ReturnType<typeof readPackages>[number] {
  const repository = { url: "git+https://host.example/x.git", directory: folder };
  return { folder, name: `@x/${folder}`, version: "1.2.0", needs, changelog: CHANGELOG, repository };
}

test("nothing stands in the way of a tree that is whole", () => {
  expect(obstacles(TREE)).toEqual([]);
});

test("each thing that a release must not go out with is told in a line", () => {
  const told = (...packages: (typeof PROTOCOL)[]) => obstacles({ ...TREE, packages }).join("\n");
  expect(told(PROTOCOL, { ...SDK, version: "1.3.0", changelog: "\n## 1.3.0\n" })).toMatch(/versions 1\.2\.0, 1\.3\.0/);
  expect(told(PROTOCOL, { ...SDK, needs: { "@x/protocol": "1.1.0" } })).toMatch(/sdk needs @x\/protocol 1\.1\.0/);
  expect(told({ ...PROTOCOL, changelog: "# Changelog\n" })).toMatch(/protocol\/CHANGELOG\.md has no section 1\.2\.0/);
  expect(told({ ...PROTOCOL, changelog: "\n## 1.2.0\n\nNot published yet.\n" })).toMatch(/date section 1\.2\.0/);
  expect(told({ ...PROTOCOL, repository: undefined })).toMatch(/protocol\/package\.json: .*"repository"/);
  expect(told({ ...PROTOCOL, repository: { ...PROTOCOL.repository, directory: "" } })).toMatch(/directory protocol/);
  expect(obstacles({ ...TREE, changes: " M README.md" })).toEqual([expect.stringMatching(/working tree/)]);
  expect(obstacles({ ...TREE, isPageCurrent: false })).toEqual([expect.stringMatching(/npm run licences/)]);
});

test("the packages of this repository are of one version, depend on each other by it, and have a changelog for it", () => {
  const packages = readPackages();
  expect(packages.length).toBeGreaterThanOrEqual(5);
  const found = obstacles({ ...TREE, packages });
  // What the first release is still without: a date, and the address of the repository.
  expect(found.filter((line) => !/CHANGELOG\.md: date section|"repository"/.test(line))).toEqual([]);
});

test("an SBOM is narrowed to a package and what it brings along, and refused where something of that is missing", () => {
  const part = (key: string) => ({ "bom-ref": key, purl: `pkg:npm/${key.replace(/^@/, "%40")}` });
  const dependencies = [
    { ref: "repository", dependsOn: ["@x/sdk@1.2.0"] },
    { ref: "@x/sdk@1.2.0", dependsOn: ["mqtt@5.0.0", "typescript@6.0.0"] },
  ];
  const components = ["@x/sdk@1.2.0", "mqtt@5.0.0", "typescript@6.0.0"].map(part);
  const sbom = { metadata: { component: part("repository") }, components, dependencies };
  expect(sbomWithin(sbom, "@x/sdk", new Set(["mqtt@5.0.0"]))).toEqual({
    metadata: { component: part("@x/sdk@1.2.0") },
    components: [part("mqtt@5.0.0")],
    dependencies: [{ ref: "@x/sdk@1.2.0", dependsOn: ["mqtt@5.0.0"] }],
  });
  expect(() => sbomWithin(sbom, "@x/sdk", new Set(["ms@2.0.0"]))).toThrow(/lacks ms@2\.0\.0/);
  expect(() => sbomWithin(sbom, "@x/none", new Set())).toThrow(/lacks @x\/none/);
});
