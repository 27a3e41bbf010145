import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfTestDigest } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createKey, isSignedBy } from "../../flash/signing-key.ts";
import { decodePackages } from "../../flash/update-package.ts";
import { DEVICE_WASM } from "../../test-device.suite.ts";
import { describePackages, makePackages, type PackageChoice } from "./package-source.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-package-"));
  writeFileSync(join(folder, "device.wasm"), DEVICE_WASM);
});

afterEach(() => rmSync(folder, { recursive: true }));

const { key } = createKey("ed25519");

function choice(more: Partial<PackageChoice> = {}): PackageChoice {
  const module = join(folder, "device.wasm");
  return { module, version: 0x01020003, key, images: [], firmware: undefined, target: undefined, ...more };
}

const MODEL = createHash("sha256").update(DEVICE_WASM).digest();

/** Images in the folder: their own names, and the module that they run. */
function files(...names: string[]): string[] {
  return names.map((name) => {
    const path = join(folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, Buffer.concat([Buffer.from(name), MODEL]));
    return path;
  });
}

test("a module's package says what it computes, how much memory it takes, and is signed", async () => {
  const made = await makePackages(choice());
  const [update] = decodePackages(made.bytes);
  expect(update?.manifest).toMatchObject({
    form: "module",
    target: "module",
    slot: 255,
    version: 0x01020003,
    stackBytes: 0,
  });
  expect(update?.body).toEqual(DEVICE_WASM);
  const { channels, samples, seed, digest } = update?.manifest.test ?? { channels: 0, samples: 0, seed: 0, digest: "" };
  expect(digest).toBe(selfTestDigest(DEVICE_WASM, channels, samples, seed));
  expect(update?.manifest.memoryBytes).toBeGreaterThan(4_000);
  expect(update?.manifest.memoryBytes).toBeLessThan(12_288);
  expect(describePackages(made)).toMatch(
    /^module 1\.2\.3 for module, \d+ B, model [0-9a-f]{16}, signed by [0-9a-f]{16}$/,
  );
  const other = decodePackages((await makePackages(choice())).bytes);
  expect(other[0]?.manifest.test.seed).not.toBe(seed);
  expect(
    isSignedBy(key.trusted, update?.manifestBytes ?? new Uint8Array(), update?.signature ?? new Uint8Array()),
  ).toBe(false);
});

test("images come one for each slot, by the end of their names or their folders, with the module that they run", async () => {
  for (const images of [files("fw-b.bin", "fw-a.bin"), files("mps2-slot-1/rotor.bin", "mps2-slot-0/rotor.bin")]) {
    const [second, first] = decodePackages((await makePackages(choice({ images, target: "mps2/rotor" }))).bytes);
    expect([second?.manifest.slot, first?.manifest.slot]).toEqual([1, 0]);
    expect(first?.manifest).toMatchObject({ form: "image", target: "mps2/rotor" });
    expect(first?.module).toEqual(DEVICE_WASM);
    expect(
      Buffer.from(second?.body ?? [])
        .subarray(0, -32)
        .toString(),
    ).toBe(images[0]?.slice(folder.length + 1));
  }
  await expect(makePackages(choice({ images: files("fw.bin"), target: "x" }))).rejects.toThrow(
    /says no slot: let its name/,
  );
  await expect(makePackages(choice({ images: files("x-a.bin", "y-a.bin"), target: "x" }))).rejects.toThrow(
    /one for each/,
  );
  await expect(makePackages(choice({ images: files("fw-a.bin") }))).rejects.toThrow(/--target/);
  const [stale = ""] = files("stale-a.bin");
  writeFileSync(stale, "built around another module");
  await expect(makePackages(choice({ images: [stale], target: "x" }))).rejects.toThrow(
    /does not run .*device\.wasm: build it/,
  );
});

test("a Makefile with the target `images` builds them around the module; one without is told so", async () => {
  const firmware = join(folder, "firmware");
  mkdirSync(firmware);
  // As a real one: an image is built anew only where the module is newer.
  const rule = (slot: number) => {
    const out = `build/b-slot-${slot}/x.bin`;
    const made = `${process.execPath} -e 'process.stdout.write(crypto.createHash("sha256").update(fs.readFileSync("$(WASM)")).digest())' > $@`;
    return `${out}: $(WASM)\n\tmkdir -p build/b-slot-${slot} && ${made} && echo $(FORM) $(VERSION) ${slot} >> $@\n`;
  };
  writeFileSync(join(firmware, "Makefile"), `images: build/b-slot-0/x.bin build/b-slot-1/x.bin\n${rule(0)}${rule(1)}`);
  const build = async (module: string) =>
    decodePackages((await makePackages(choice({ module, firmware, target: "b/x" }))).bytes);
  const tail = (bytes: Uint8Array = new Uint8Array()) => new TextDecoder().decode(bytes.slice(32));
  const [first, second] = await build(join(folder, "device.wasm"));
  expect([tail(first?.body), tail(second?.body)]).toEqual(["image 1.2.3 0\n", "image 1.2.3 1\n"]);
  // Another module, older than what was built: make alone would leave the images as they are.
  const other = join(folder, "other.wasm");
  writeFileSync(
    other,
    DEVICE_WASM.map((byte, at) => (at === DEVICE_WASM.length - 2 ? byte ^ 1 : byte)),
  );
  utimesSync(other, 1, 1);
  const [third] = await build(other);
  expect(Buffer.from(third?.body ?? []).subarray(0, 32)).toEqual(
    createHash("sha256").update(readFileSync(other)).digest(),
  );
  writeFileSync(join(firmware, "Makefile"), "all:\n");
  await expect(makePackages(choice({ firmware, target: "b/x" }))).rejects.toMatchObject({ code: "missing-part" });
  rmSync(join(firmware, "build"), { recursive: true });
  writeFileSync(join(firmware, "Makefile"), "images:\n");
  await expect(makePackages(choice({ firmware, target: "b/x" }))).rejects.toThrow(/has 0 images/);
});

test("what is no module that a device may run is refused before anything is signed", async () => {
  writeFileSync(join(folder, "device.wasm"), "hello");
  await expect(makePackages(choice())).rejects.toThrow(/may not run on a device .*integers only/);
});
