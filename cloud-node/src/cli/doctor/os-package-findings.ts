import { existsSync } from "node:fs";
import * as v from "valibot";
import type { Finding } from "./examine.ts";

const rowSchema = v.object({
  name: v.string(),
  debian: v.array(v.string()),
  neededBy: v.string(),
  script: v.string(),
});

type FindProgram = (row: unknown) => string | undefined;

/**
 * Programs of the operating system that the tests of a clone use; nothing for an installed package, which has none.
 *
 * The table is the clone's own `scripts/os-packages.js`, so that nothing is said twice.
 */
export async function osPackageFindings(): Promise<Finding[]> {
  const script = new URL("../../../../scripts/os-packages.js", import.meta.url);
  if (!existsSync(script)) return [];
  const table: Record<string, unknown> = await import(script.href);
  const rows = v.safeParse(v.array(rowSchema), table.OS_PACKAGES);
  const findProgram = table.findProgram;
  if (!rows.success || typeof findProgram !== "function") return [];
  const find = findProgram as FindProgram;
  const originals = table.OS_PACKAGES as readonly unknown[];
  return rows.output.map(({ name, debian, neededBy, script: user }, index): Finding => {
    const path = find(originals[index]);
    if (path !== undefined) return { name, state: "ok", found: path, remedy: "" };
    return {
      name,
      state: "optional",
      found: `npm run ${user} leaves out: ${neededBy}`,
      remedy: `on Debian: sudo apt-get install -y --no-install-recommends ${debian.join(" ")}`,
    };
  });
}
