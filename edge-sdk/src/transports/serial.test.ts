import { type Duplex, duplexPair } from "node:stream";
import { encodeFrame, encodeSerialFrame, type SerialDamage, SerialDeframer } from "@lockstep/protocol";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random-source.ts";
import { type FarEnd, Inbox, transportSuite } from "../transport.suite.ts";
import { serialTransport } from "./serial.ts";
import { SerialLine } from "./serial-line.ts";
import { openSerialPort, parseSerialUrl } from "./serial-port.ts";

const clock = systemClock();
const random = systemRandom();

transportSuite("serial over an in-memory pair", async (): Promise<FarEnd> => {
  const inbox = new Inbox();
  let far: Duplex | undefined;
  return {
    hasTopics: false,
    transport: () =>
      serialTransport({
        clock,
        random,
        openPort: async () => {
          const [here, there] = duplexPair();
          const deframer = new SerialDeframer();
          far = there;
          there.on("data", (chunk) => {
            for (const frame of deframer.push(chunk)) inbox.push("frames", frame);
          });
          there.on("error", () => {});
          return here;
        },
      }),
    next: () => inbox.next(),
    send(bytes) {
      far?.write(encodeSerialFrame(bytes));
    },
    drop: () => far?.destroy(),
    pause: () => far?.pause(),
    resume: () => far?.resume(),
    close: async () => void far?.destroy(),
  };
});

/** A line whose ports a test holds the other side of, and all that it tells. */
function openLine(outcomes: ("open" | string)[] = [], nowMs = () => clock.nowMs()) {
  const sides: Duplex[] = [];
  const told: string[] = [];
  const line = new SerialLine({
    clock: { ...clock, nowMs },
    random,
    openPort: async () => {
      const outcome = outcomes.shift() ?? "open";
      if (outcome !== "open") throw new RangeError(outcome);
      const [here, there] = duplexPair();
      sides.push(there);
      return here;
    },
  });
  line.open({
    opened: () => told.push("opened"),
    closed: () => told.push("closed"),
    failed: (problem) => told.push(problem),
    frame: (bytes) => told.push(`frame ${Buffer.from(bytes).toString("hex")}`),
    damaged: (reason: SerialDamage) => told.push(reason),
    drained: () => told.push("drained"),
  });
  const until = async (count: number) => {
    while (told.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    return told;
  };
  return { line, sides, told, until };
}

test("a line begins with a zero, and every frame ends with one", async () => {
  const { line, sides, until } = openLine();
  await until(1);
  expect(line.send(Uint8Array.of(7))).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  const bytes: Buffer = sides[0]?.read();
  expect([bytes[0], bytes.at(-1)]).toEqual([0, 0]);
  expect(new SerialDeframer().push(bytes)).toEqual([Uint8Array.of(7)]);
  await line.destroy();
});

test("noise that came in a pause costs no frame after it", async () => {
  let nowMs = 0;
  const { line, sides, until } = openLine([], () => nowMs);
  await until(1);
  const sent = async (pauseMs: number): Promise<Buffer> => {
    nowMs += pauseMs;
    line.send(Uint8Array.of(7));
    await new Promise((resolve) => setImmediate(resolve));
    return sides[0]?.read();
  };
  await sent(0);
  // Without a pause no byte is spent on it.
  expect((await sent(0))[0]).not.toBe(0);
  const found = new SerialDeframer().push(Buffer.concat([Buffer.from("noise"), await sent(120)]));
  expect(found).toEqual([Uint8Array.of(7)]);
  await line.destroy();
});

test("garbage on the line is told by what is wrong with it, and frames around it arrive", async () => {
  const { line, sides, until } = openLine();
  await until(1);
  const frame = encodeSerialFrame(Uint8Array.of(1, 2, 3));
  sides[0]?.write(Buffer.concat([frame, Buffer.from("panic: 42\r\n\0"), frame.with(2, 9), frame]));
  expect(await until(5)).toEqual(["opened", "cut-short", "bad-checksum", "frame 010203", "frame 010203"]);
  await line.destroy();
});

test("half a frame from before a port was lost is no part of the first one after it", async () => {
  const { line, sides, until } = openLine();
  await until(1);
  const frame = encodeSerialFrame(Uint8Array.of(1, 2, 3));
  sides[0]?.write(frame.slice(0, 4));
  sides[0]?.end();
  await until(4);
  sides[1]?.write(frame);
  expect(await until(5)).toEqual(["opened", "cut-short", "closed", "opened", "frame 010203"]);
  await line.destroy();
});

test("a port that cannot be opened is tried again, and each problem is told once", async () => {
  const { line, until } = openLine(["no such port", "no such port", "no such port", "not allowed", "open"]);
  expect(await until(3)).toEqual(["no such port", "not allowed", "opened"]);
  await line.destroy();
});

test("a line that is closed while its port opens gives the port back, and tells nothing", async () => {
  const { line, sides, told } = openLine();
  await line.close();
  await new Promise<void>((resolve) => sides[0]?.resume().on("end", resolve));
  expect(told).toEqual([]);
  expect(line.isOpen).toBe(false);
});

test("a presence goes out as a good-bye, and not as a greeting", async () => {
  const [here, there] = duplexPair();
  const transport = serialTransport({ clock, random, openPort: async () => here });
  await new Promise<void>((connected) => {
    void transport.open({ connected, disconnected() {}, message() {}, drained() {} }, Uint8Array.of(0));
  });
  const presence = (online: boolean) => encodeFrame({ kind: "presence", nonce: 7, online });
  expect(transport.send("presence", presence(true))).toBe(true);
  expect(transport.send("presence", presence(false))).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(new SerialDeframer().push(there.read())).toEqual([presence(false)]);
  await transport.destroy();
});

test("a transport tells why its port does not open, and that nothing but damage comes, each once", async () => {
  const told: string[] = [];
  const outcomes = ["no such port", "no such port"];
  const [here, there] = duplexPair();
  const openPort = async () => {
    const problem = outcomes.shift();
    if (problem !== undefined) throw new RangeError(problem);
    return here;
  };
  const transport = serialTransport({ clock, random, openPort, onProblem: (problem) => told.push(problem) });
  const inbox = new Inbox();
  const message = (bytes: Uint8Array) => inbox.push("frames", bytes);
  await new Promise<void>((connected) => {
    void transport.open({ connected, disconnected() {}, message, drained() {} }, Uint8Array.of(0));
  });
  expect(told).toEqual(["no such port"]);
  const frame = encodeSerialFrame(Uint8Array.of(1, 2, 3));
  const hear = async (damagedPieces: number) => {
    there.write(Buffer.concat([...Array.from({ length: damagedPieces }, () => frame.with(2, 9)), frame]));
    await inbox.next();
    return told.slice(1);
  };
  expect(await hear(15)).toEqual([]);
  expect(await hear(15)).toEqual([]);
  expect(await hear(40)).toEqual([expect.stringMatching(/nothing but damage.*bad-checksum.*rate/)]);
  await transport.destroy();
});

test.for([
  ["serial:/dev/ttyUSB0", { path: "/dev/ttyUSB0", baudRate: 115_200 }],
  ["serial:/dev/ttyACM1?baud=9600", { path: "/dev/ttyACM1", baudRate: 9_600 }],
  ["serial:COM3?baud=921600", { path: "COM3", baudRate: 921_600 }],
  ["serial:/dev/x?baud=50", { path: "/dev/x", baudRate: 50 }],
  ["serial:/dev/x?baud=4000000", { path: "/dev/x", baudRate: 4_000_000 }],
  ["serial:unix:/tmp/uart", { path: "unix:/tmp/uart", baudRate: 115_200 }],
] as const)("%s names a port", ([url, port]) => {
  expect(parseSerialUrl(url)).toEqual(port);
});

test.for([
  "serial:",
  "serial:?baud=1",
  "serial:/dev/x?baud=0",
  "serial:/dev/x?baud=49",
  "serial:/dev/x?baud=4000001",
  "serial:/dev/x?baud=0115200",
  "serial:/dev/x?baud=9600.5",
  "serial:/dev/x?baud=fast",
  "tcp://x:1",
  "serial:/x?b=1",
])("%s names none", (url) => {
  expect(() => parseSerialUrl(url)).toThrow("serial:PATH?baud=RATE");
});

test.for([0, 49, 4_000_001, 9_600.5, Number.NaN])("a port is not opened at %s baud", async (baudRate) => {
  const bad = { code: "bad-rate", facts: { rate: baudRate, least: 50, most: 4_000_000 } };
  await expect(openSerialPort({ path: "/dev/null", baudRate, clock })).rejects.toMatchObject(bad);
});
