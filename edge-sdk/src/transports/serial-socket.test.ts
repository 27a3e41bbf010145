import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSerialFrame, SerialDeframer } from "@lockstep/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random-source.ts";
import { type FarEnd, Inbox, transportSuite } from "../transport.suite.ts";
import { serialTransport } from "./serial.ts";
import { openSerialPort } from "./serial-port.ts";

const clock = systemClock();
const random = systemRandom();
const isWindows = process.platform === "win32";

let folder = "";
let server: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-socket-"));
});

afterEach(async () => {
  const open = server;
  server = undefined;
  if (open?.listening) await new Promise((resolve) => open.close(resolve));
  rmSync(folder, { recursive: true });
});

async function listen(onSocket: (socket: Socket) => void): Promise<string> {
  const path = join(folder, "uart");
  server = createServer(onSocket).listen(path);
  await once(server, "listening");
  return path;
}

describe.skipIf(isWindows)("a line that is a Unix socket", () => {
  transportSuite("serial over a Unix socket", async (): Promise<FarEnd> => {
    const inbox = new Inbox();
    const sockets = new Set<Socket>();
    let isPaused = false;
    const path = await listen((socket) => {
      sockets.add(socket);
      const deframer = new SerialDeframer();
      socket.on("data", (chunk) => {
        for (const frame of deframer.push(chunk)) inbox.push("frames", frame);
      });
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      if (isPaused) socket.pause();
    });
    const setPaused = (paused: boolean) => {
      isPaused = paused;
      for (const socket of sockets) paused ? socket.pause() : socket.resume();
    };
    const openPort = () => openSerialPort({ path: `unix:${path}`, baudRate: 115_200, clock });
    return {
      hasTopics: false,
      transport: () => serialTransport({ openPort, clock, random }),
      next: () => inbox.next(),
      send(bytes) {
        for (const socket of sockets) socket.write(encodeSerialFrame(bytes));
      },
      drop() {
        for (const socket of sockets) socket.destroy();
      },
      pause: () => setPaused(true),
      resume: () => setPaused(false),
      async close() {
        for (const socket of sockets) socket.destroy();
      },
    };
  });

  test("where nobody listens there is no port, and what to start is said", async () => {
    const path = `unix:${join(folder, "none")}`;
    const refused = openSerialPort({ path, baudRate: 115_200, clock });
    await expect(refused).rejects.toMatchObject({ code: "no-port", facts: { path, detail: "ENOENT" } });
    await expect(refused).rejects.toThrow(`nobody listens at ${path}`);
  });

  test("a file is no line", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "");
    const refused = openSerialPort({ path: `unix:${path}`, baudRate: 115_200, clock });
    await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/^(no-port|not-a-port)$/) });
  });
});
