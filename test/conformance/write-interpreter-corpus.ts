/**
 * Writes modules for libFuzzer to begin with: `node test/conformance/write-interpreter-corpus.ts FOLDER`. They are those of
 * `npm test`, a few kilobytes each and `device.wasm`; nothing of it is kept in the repository.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "@lockstep/sim";
import { generateModule } from "./generated-module.ts";
import { DEVICE_WASM } from "./raw-device.ts";

const SEED = 20_261;
const MODULES = 300;
const [folder = "corpus"] = process.argv.slice(2);

mkdirSync(folder, { recursive: true });
const random = seededRandom(SEED);
for (let i = 0; i < MODULES; i++) {
  writeFileSync(join(folder, `generated-${i}.wasm`), generateModule(random.fork(`seed ${i}`)));
}
copyFileSync(DEVICE_WASM, join(folder, "device.wasm"));
