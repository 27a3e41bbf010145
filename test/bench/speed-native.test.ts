import { loadBatchCore } from "@lockstep/edge-sdk/core";
import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { readBatchModule } from "./modules.ts";
import { jobOf } from "./speed.ts";
import { buildNative, NativeCodec } from "./speed-native.ts";

requires("c-compiler")("the native programs of the speed benchmark", () => {
  test("compile, and decode to the state they encoded to", { timeout: 120_000 }, async () => {
    const wasm = await readBatchModule();
    const values = Float32Array.from({ length: 250 }, (_, t) => Math.sin(t / 9));
    const job = jobOf(loadBatchCore(wasm), { name: "sine", channels: 1, values }, 0.01, 100);
    const native = buildNative(wasm);
    try {
      for (const file of native.files.values()) {
        const codec = new NativeCodec(file, job);
        const encoded = await codec.run("encode");
        const decoded = await codec.run("decode");
        codec.end();
        expect(encoded.payloadBytes).toBeGreaterThan(0);
        expect(decoded.stateHash).toBe(encoded.stateHash);
      }
    } finally {
      native.remove();
    }
  });
});
