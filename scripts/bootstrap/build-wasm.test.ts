import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { expect, test } from "vitest";
import { modulesUnder } from "./build-wasm.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test.for(["edge-sdk/assembly/device.ts", "cloud-node/assembly/tensor.ts"])(
  "what %s is built from is what the compiler reads",
  { timeout: 120_000 },
  async (entry) => {
    const read = new Set<string>();
    const readFile = (name: string, folder: string) => {
      try {
        const text = readFileSync(resolve(folder, name), "utf8");
        read.add(name);
        return text;
      } catch {
        return null;
      }
    };
    const options = ["--baseDir", ROOT, "--noEmit", "--optimizeLevel", "0", "--runtime", "stub"];
    const { error, stderr } = await asc.main([entry, ...options, "--enable", "simd,threads"], { readFile });
    expect(error, stderr.toString()).toBeNull();
    const ours = [...read].filter((name) => !name.startsWith("node_modules") && name.endsWith(".ts"));
    expect(ours.length).toBeGreaterThan(10);
    expect(modulesUnder(ROOT, entry)).toEqual(ours.map((name) => join(name)).sort());
  },
);
