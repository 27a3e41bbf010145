import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHistory } from "@lockstep/cloud-node";
import { rotorTwinSignal } from "@lockstep/sim";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { requires } from "../os-package.ts";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";
import { PtyBoard } from "./pty-board.ts";
import { UpdatableExample, writeFactoryFlash } from "./updatable-made.ts";

const DEVICE = "rotor-updatable";
const BOARD = "mps2-an386";
const CHANNELS = 6;
/** 32 units of 2^-15. */
const EPS = 32 * 2 ** -15;
/** 1.0.0. */
const FACTORY = 2 ** 24;
const LIMIT_MS = 150_000;

let folder = "";
let node: LockstepProcess | undefined;
let board: PtyBoard | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-flash-board-"));
});
afterEach(async () => {
  await board?.stop();
  node?.child.kill("SIGKILL");
  await node?.finished();
  rmSync(folder, { recursive: true });
});

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("lockstep flash, a node and an emulated board at its line", () => {
  test(
    "a module is sent to the running board, refused where it is older, and every sample of both arrives",
    async () => {
      const [key, store] = [join(folder, "release.key"), join(folder, "lockstep.db")];
      await succeed("keys", "new", key);
      await succeed("keys", "trust", `${key}.pub`, "--store", store);
      const [elf, flash] = [makeBoard(`${key}.pub`), join(folder, "flash.bin")];
      const wasm = readFileSync(DEVICE_WASM);
      writeFactoryFlash(flash, { board: BOARD }, wasm, FACTORY);
      board = await PtyBoard.start(elf, flash);
      const places = ["--http", "0", "--mqtt-port", "0", "--serial", board.path];
      node = new LockstepProcess("serve", ...places, "--store", store);
      const { http } = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { http: string };
      const at = ["--to", DEVICE, "--node", http];
      await live(http);
      const module = join(folder, "next.wasm");
      // Another codec, as another build would have it: a number at the end of its tables differs.
      writeFileSync(
        module,
        wasm.map((byte, place) => (place === wasm.length - 2 ? byte ^ 1 : byte)),
      );
      const send = (version: string) => runLockstep("flash", module, ...at, "--key", key, "--version", version);

      const tried = await runLockstep("flash", module, ...at, "--key", key, "--version", "1.0.1", "--dry-run");
      expect(tried.code, tried.stderr).toBe(0);
      const done = await send("1.0.1");
      expect(done.stdout + done.stderr).toContain(`${DEVICE}  done`);
      expect(done.code).toBe(0);
      const older = await send("0.9.0");
      expect(older.code).not.toBe(0);
      expect(older.stdout + older.stderr).toContain("version-goes-back");
      const { stdout } = await runLockstep("flash", "status", ...at);
      expect(stdout).toContain("1.0.1");

      await board.stop();
      node.child.kill("SIGTERM");
      expect((await node.finished()).code).toBe(0);
      await expectRotor(store);
    },
    LIMIT_MS,
  );
});

/** Build a board that trusts a key. @param file  as `lockstep keys new` wrote it */
function makeBoard(file: string): string {
  const [, text = ""] = /^ed25519:(\S+)/m.exec(readFileSync(file, "utf8")) ?? [];
  const bytes = [...Buffer.from(text, "base64url")].map((byte) => `0x${byte.toString(16)}`);
  expect(bytes).toHaveLength(32);
  const defines = ["-DFRAME_SAMPLES=10", "-DRATE_HZ=20", `-DTRUSTED_KEY=${bytes.join(",")}`];
  return new UpdatableExample(mkdtempSync(join(folder, "made-"))).resident({ board: BOARD, form: "module", defines });
}

async function succeed(...args: string[]): Promise<void> {
  const { code, stderr } = await runLockstep(...args);
  expect(code, stderr).toBe(0);
}

/** Wait until the board is born, and live. */
async function live(http: string): Promise<void> {
  for (let state = ""; state !== "live"; ) {
    const answer = await fetch(`${http}/api/v1/devices/${DEVICE}/twin`);
    state = ((await answer.json()) as { state?: string }).state ?? "";
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Every epoch is the rotor's signal from its start, without a gap, within the bound. */
async function expectRotor(store: string): Promise<void> {
  const history = await openHistory(store);
  try {
    expect(history.gaps(DEVICE)).toEqual([]);
    const epochs = history.epochs(DEVICE);
    // The test of the module and the switch to it are a boot each.
    expect(epochs.length).toBeGreaterThanOrEqual(2);
    for (const { epoch } of epochs) {
      const reader = rotorTwinSignal().read();
      const measured = new Float64Array(CHANNELS);
      let stored = 0;
      for (const { index, values } of history.samples(DEVICE, { epoch })) {
        expect(index, `epoch ${epoch}`).toBe(stored++);
        reader.next(measured);
        for (const [c, x] of measured.entries()) {
          const error = Math.abs((values[c] ?? Number.NaN) - x);
          if (!(error <= EPS)) expect.fail(`epoch ${epoch}, sample ${index}, channel ${c}: off by ${error}`);
        }
      }
      if (epoch === epochs.at(-1)?.epoch) expect(stored).toBeGreaterThanOrEqual(80);
    }
  } finally {
    history.close();
  }
}
