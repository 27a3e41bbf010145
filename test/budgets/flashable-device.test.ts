import { expect, test } from "vitest";
import { rowsOf, tableOf } from "../../scripts/firmware-sizes.js";
import { measureFlashable } from "../bench/firmware-flashable.ts";
import { readmeOf } from "../end-to-end/firmware-made.ts";
import { requires } from "../os-package.ts";

const MODULE_LIMITS = { flashBytes: 32 * 1024, ramBytes: 6 * 1024 };
/** The compiled core takes more: what is held here is that it does not grow. */
const IMAGE_LIMITS = { flashBytes: 45 * 1024, ramBytes: 8 * 1024 };
/** As the README's other tables. */
const TOLERANCE = 0.02;
const LEAST_BYTES = 200;

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("a device whose firmware can be replaced, on the Cortex-M4", () => {
  test("holds interpreter or codec, link, update, Ed25519 and boot in the flash and memory that it may take", {
    timeout: 240_000,
  }, async () => {
    const [module, image] = await measureFlashable();
    process.stdout.write(
      `flashable: ${[module, image].map((of) => `${of?.form} ${of?.flashBytes} B flash, ${of?.ramBytes} B RAM`).join("; ")}\n`,
    );
    expect(module?.stackBytes).toBeGreaterThan(300);
    expect(module?.parts.get("update")?.flash).toBeGreaterThan(8000);
    expect(module?.flashBytes).toBeLessThan(MODULE_LIMITS.flashBytes);
    expect(module?.ramBytes).toBeLessThan(MODULE_LIMITS.ramBytes);
    expect(image?.flashBytes).toBeLessThan(IMAGE_LIMITS.flashBytes);
    expect(image?.ramBytes).toBeLessThan(IMAGE_LIMITS.ramBytes);
    const said = tableOf(readmeOf("rotor-updatable"));
    const found = rowsOf([module?.parts ?? new Map()]);
    expect([...said.keys()]).toEqual([...found.keys()]);
    for (const [part, [flash = 0]] of found) {
      const off = Math.abs((said.get(part)?.[0] ?? Number.NaN) - flash);
      expect(off, `${part}; \`npm run firmware-sizes\` writes them anew`).toBeLessThanOrEqual(
        Math.max(LEAST_BYTES, TOLERANCE * flash),
      );
    }
  });
});
