import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  decodeFrame,
  encodeFrame,
  encodeSerialFrame,
  encodeStreamFrame,
  SerialDeframer,
  StreamDeframer,
} from "@lockstep/protocol";
import { type Firmware, run } from "qemu-wasm-runner";
import { beforeAll, expect, test } from "vitest";
import { programPath, requires } from "../os-package.ts";
import { buildDeviceProgram } from "./c-host-build.ts";
import { LINUX_HOST_E, LINUX_HOST_INCLUDES, LINUX_HOST_SOURCES, linuxHostWave } from "./linux-host-example.ts";
import { RawCloud } from "./raw-cloud.ts";
import { DEVICE_WASM } from "./raw-device.ts";

requires("c-compiler")("firmware-examples/linux-host", () => {
  let host: Firmware;
  beforeAll(async () => {
    host = await buildDeviceProgram(LINUX_HOST_SOURCES, LINUX_HOST_INCLUDES);
  }, 60_000);

  test("greets with a birth that says what it is, and keeps its frames while nobody answers", async () => {
    const { exitCode, output, errorText } = await run(host, {
      args: ["--samples", "500", "--nonce", "7", "--name", "w-1"],
    });
    expect(exitCode).toBe(0);
    expect(errorText).toBe("linux-host: 500 samples, 5 frames made, 5 not confirmed\n");
    const frames = new StreamDeframer().push(output).map(decodeFrame);
    expect(frames.map(({ kind }) => kind)).toEqual(["birth", "birth", "birth"]);
    expect(frames[0]).toMatchObject({ device: "w-1", nonce: 7, epoch: 0, model: host.moduleId, frameSamples: 100 });
  });

  test.for([
    [["--channels", "1"], 1],
    [["--mtu", "51"], 6],
    [["--channels", "16", "--frame-samples", "7"], 16],
    [["--serial"], 6],
    [["--serial", "--mtu", "51"], 6],
  ] as const)("delivers every sample of its wave within the bound: %j", async ([args, channels]) => {
    const cloud = new RawCloud();
    const { exitCode, errorText } = await converse(host, ["--samples", "1500", "--nonce", "7", ...args], cloud);
    expect({ exitCode, errorText }).toMatchObject({
      exitCode: 0,
      errorText: expect.stringMatching(/ 0 not confirmed/),
    });
    expect(cloud.badSeals).toBe(0);
    expect(cloud.gaps).toEqual([]);
    expect(cloud.rows).toHaveLength(1500);
    const errors = cloud.rows.flatMap(({ samples }, t) => samples.map((x, c) => Math.abs(x - linuxHostWave(t, c))));
    expect(errors).toHaveLength(1500 * channels);
    expect(Math.max(...errors)).toBeLessThanOrEqual(LINUX_HOST_E);
  });

  test("says the same to the same standard input, byte for byte", async () => {
    const input = Buffer.concat([welcome(8), welcome(7)]);
    const args = ["--samples", "700", "--nonce", "7", "--mtu", "51"];
    const folder = mkdtempSync(join(tmpdir(), "linux-host-"));
    try {
      // From a file it is all there at once; through a pipe it would come when the machine's load has it.
      const file = join(folder, "input");
      writeFileSync(file, input);
      const [one, two] = [0, 1].map(() => {
        const descriptor = openSync(file, "r");
        try {
          return execFileSync(host.file ?? "", args, { stdio: [descriptor, "pipe", "pipe"] });
        } finally {
          closeSync(descriptor);
        }
      });
      expect(one?.length).toBeGreaterThan(1000);
      expect(one).toEqual(two);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("hears nothing in a serial line full of noise, and keeps its frames", async () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 89) ^ (i >> 3));
    const { exitCode, errorText, output } = await run(host, { args: ["--serial", "--samples", "500"], input: noise });
    expect({ exitCode, errorText }).toEqual({
      exitCode: 0,
      errorText: "linux-host: 500 samples, 5 frames made, 5 not confirmed\n",
    });
    expect(output[0]).toBe(0);
    expect(new SerialDeframer().push(output).map((bytes) => decodeFrame(bytes).kind)).toContain("birth");
  });

  test("ends with 1 when standard input is no stream of messages, with 2 on wrong usage", async () => {
    const broken = await run(host, { input: Uint8Array.of(0, 0) });
    expect(broken).toMatchObject({
      exitCode: 1,
      errorText: "linux-host: standard input holds what no cloud sends: -1\n",
    });
    for (const args of [["--channels", "17"], ["--mtu", "x"], ["--nonce"], ["--what", "1"], ["--samples", "-1"]]) {
      expect(await run(host, { args }), args.join(" ")).toMatchObject({ exitCode: 2 });
    }
    expect((await run(host, { args: ["--help"] })).output.toString()).toContain("example: ");
  });
});

requires("make")("firmware-examples/linux-host/Makefile", () => {
  test("builds the same program, with every warning an error", async () => {
    const folder = mkdtempSync(join(tmpdir(), "linux-host-"));
    const repository = fileURLToPath(new URL("../..", import.meta.url));
    const at = join(folder, "firmware-examples/linux-host");
    try {
      mkdirSync(join(folder, "firmware-examples"));
      for (const part of ["firmware-examples/linux-host", "firmware-examples/board-support", "edge-sdk/include"]) {
        cpSync(join(repository, part), join(folder, part), {
          recursive: true,
          filter: (path) => !path.endsWith("/build"),
        });
      }
      const wasm2c = `WASM2C=${process.execPath} ${fileURLToPath(import.meta.resolve("wabt/bin/wasm2c"))}`;
      execFileSync(programPath("make"), ["-C", at, `WASM=${fileURLToPath(DEVICE_WASM)}`, wasm2c], { stdio: "pipe" });
      // Standard input ends at once: otherwise the end comes after more or fewer births, as the machine's load has it.
      const outputOf = (program: string) =>
        execFileSync(program, ["--samples", "500", "--nonce", "7"], { stdio: ["ignore", "pipe", "pipe"] });
      const made = outputOf(join(at, "build/linux-host"));
      const host = await buildDeviceProgram(LINUX_HOST_SOURCES, LINUX_HOST_INCLUDES);
      expect(made.length).toBeGreaterThan(100);
      expect(made.equals(outputOf(host.file ?? ""))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

/** Let the program speak with a cloud until it ends. */
async function converse(host: Firmware, args: readonly string[], cloud: RawCloud) {
  const child: ChildProcess = spawn(host.file ?? "", args, { stdio: ["pipe", "pipe", "pipe"], timeout: 20_000 });
  const isSerial = args.includes("--serial");
  const deframer = isSerial ? new SerialDeframer() : new StreamDeframer();
  const framed = isSerial ? encodeSerialFrame : encodeStreamFrame;
  let errorText = "";
  const say = (messages: Uint8Array[]) => {
    for (const message of messages) child.stdin?.write(framed(message));
  };
  child.stdin?.on("error", () => {});
  child.stderr?.on("data", (chunk: Buffer) => {
    errorText += chunk.toString();
  });
  child.stdout?.on("data", (chunk: Buffer) => {
    const messages = deframer.push(chunk);
    for (const message of messages) say(cloud.take(message));
    if (messages.length > 0 && cloud.birth) say([cloud.ackAll()]);
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, errorText };
}

/** The welcome for this nonce. */
function welcome(nonce: number): Uint8Array {
  return encodeStreamFrame(
    encodeFrame({
      kind: "welcome",
      nonce,
      epoch: 1,
      through: 0,
      alias: "",
      ackAgeMs: 1000,
      timeUs: 1_700_000_000_000_000,
    }),
  );
}
