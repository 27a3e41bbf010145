import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSerialFrame, SerialDeframer } from "@lockstep/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findProgram, mustRunAll, osPackage } from "../../../scripts/os-packages.js";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random-source.ts";
import { type FarEnd, Inbox, transportSuite } from "../transport.suite.ts";
import { serialTransport } from "./serial.ts";
import type { SerialPortLike } from "./serial-line.ts";
import { openSerialPort } from "./serial-port.ts";

const socat = findProgram(osPackage("socat"));
const clock = systemClock();
const random = systemRandom();
const BAUD_RATE = 115_200;
/** To whom nothing belongs. */
const NOBODY = 65_534;

/** Two pseudo-terminals, joined as by a wire; what is written at one end is read at the other. */
class Wire {
  readonly near: string;
  readonly far: string;
  #child: ChildProcess | undefined;

  constructor(folder: string) {
    this.near = join(folder, "near");
    this.far = join(folder, "far");
  }

  async plugIn(): Promise<void> {
    const ends = [this.near, this.far].map((path) => `pty,raw,echo=0,link=${path}`);
    this.#child = spawn(socat ?? "socat", ends, { stdio: "ignore" });
    while (!(existsSync(this.near) && existsSync(this.far))) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async unplug(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    for (const path of [this.near, this.far]) rmSync(path, { force: true });
  }
}

let folder = "";
let wire: Wire;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-port-"));
  wire = new Wire(folder);
});

afterEach(async () => {
  await wire.unplug();
  rmSync(folder, { recursive: true });
});

const open = (path: string) => openSerialPort({ path, baudRate: BAUD_RATE, clock });

function closed(port: SerialPortLike): Promise<void> {
  return new Promise((resolve) => port.on("close", () => resolve()));
}

describe.runIf(socat !== undefined || mustRunAll())("on a pseudo-terminal", () => {
  transportSuite("serial over a pseudo-terminal", async (): Promise<FarEnd> => {
    await wire.plugIn();
    const inbox = new Inbox();
    let far: SerialPortLike | undefined;
    const attach = async () => {
      const deframer = new SerialDeframer();
      far = await open(wire.far);
      far.on("error", () => {});
      far.on("data", (chunk) => {
        for (const frame of deframer.push(chunk)) inbox.push("frames", frame);
      });
    };
    // Whoever opens an end is not cut off while somebody holds it.
    const hold = () => openSync(wire.near, constants.O_RDWR | constants.O_NOCTTY);
    await attach();
    let held = hold();
    let replugged = Promise.resolve();
    return {
      hasTopics: false,
      transport: () => serialTransport({ openPort: () => open(wire.near), clock, random }),
      next: () => inbox.next(),
      send(bytes) {
        far?.write(encodeSerialFrame(bytes));
      },
      drop() {
        closeSync(held);
        replugged = (async () => {
          await wire.unplug();
          await wire.plugIn();
          await attach();
          held = hold();
        })();
      },
      pause: () => far?.pause(),
      resume: () => far?.resume(),
      async close() {
        await replugged;
        closeSync(held);
        await wire.unplug();
      },
    };
  });

  test("a port that is in use is refused to a second one, and free when the first gives it back", async () => {
    await wire.plugIn();
    const held = openSync(wire.near, constants.O_RDWR | constants.O_NOCTTY);
    const first = await open(wire.near);
    await expect(open(wire.near)).rejects.toMatchObject({ code: "port-busy" });
    await new Promise<void>((resolve) => first.close?.(resolve));
    const second = await open(wire.near);
    await new Promise<void>((resolve) => second.close?.(resolve));
    closeSync(held);
  });

  test("a port that one may not open is told with the group that may", async () => {
    await wire.plugIn();
    chmodSync(folder, 0o755);
    chmodSync(wire.near, 0);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      await expect(open(wire.near)).rejects.toMatchObject({
        code: "port-denied",
        message: expect.stringMatching(/belongs to the group ([a-z][-a-z0-9]*); `sudo usermod -aG \1 \$USER`/),
      });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  test("a port closes when its name is gone, though nobody cut it off", async () => {
    await wire.plugIn();
    const port = await open(wire.near);
    rmSync(wire.near);
    await closed(port);
  });
});

test("a port that is not there, and what is no port, are told as that", async () => {
  await expect(open(join(folder, "none"))).rejects.toMatchObject({
    code: "no-port",
    message: expect.stringMatching(/plug the device in/),
  });
  writeFileSync(join(folder, "file"), "");
  await expect(open(join(folder, "file"))).rejects.toMatchObject({ code: "not-a-port" });
  await expect(open("/dev/null")).rejects.toMatchObject({ code: "not-a-port" });
});
