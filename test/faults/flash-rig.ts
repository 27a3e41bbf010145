import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { type Firmware, RunnerError } from "qemu-wasm-runner";
import { buildDeviceProgram } from "../conformance/c-host-build.ts";

const BOARD_SUPPORT = "../../firmware-examples/board-support";
const FLASH_SOURCES = ["flash-log", "crc32", "ring-image", "flash-ring", "flash-rebuild"].map(
  (n) => `${BOARD_SUPPORT}/${n}.c`,
);

/** Geometry of a simulated chip and the device on it. */
export interface FlashPlan {
  readonly sectors: number;
  readonly sectorBytes: number;
  readonly writeUnit: number;
  readonly ringBytes: number;
  readonly outBytes: number;
  readonly frameSamples: number;
  /** Seed of what the chip holds at first; 0: it is erased. */
  readonly garbage?: number;
}

/** What the program said to one request. */
export interface FlashAnswer {
  readonly status: number;
  /** Power has failed, now or before. */
  readonly isOff: boolean;
  /** Flash operations since the chip was new. */
  readonly operations: number;
  readonly bytes: Buffer;
}

/** How things stand, by the request `Q`. */
export interface FlashStanding {
  readonly violations: number;
  /** The epoch granted or, before that, wished for. */
  readonly epoch: number;
  readonly damaged: number;
  readonly samples: number;
  readonly currentSector: number;
  readonly spares: number;
  readonly erases: readonly number[];
}

/** One request: what, two numbers, bytes; flash-ring-host.c has the table. */
export type FlashRequest = readonly [what: string, a?: number, b?: number, bytes?: Uint8Array];

/** Power does not fail. */
export const NEVER = 0xffff_ffff;
const REQUEST_HEADER_BYTES = 13;
const ANSWER_HEADER_BYTES = 16;

/** Build the device that runs on the simulated flash. */
export function buildFlashHost(): Promise<Firmware> {
  const here = ["../faults/flash-ring-host.c", "../faults/simulated-flash.c"];
  return buildDeviceProgram([...here, ...FLASH_SOURCES], ["../faults"]);
}

/** The device program, started: requests in, answers out, in order. */
export class FlashRig {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: { resolve: (answer: FlashAnswer) => void; reject: (error: RunnerError) => void }[] = [];
  #received: Buffer = Buffer.alloc(0);

  constructor(firmware: Firmware) {
    this.#child = spawn(firmware.file ?? "", [], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin.on("error", () => {});
    this.#child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.on("close", (exitCode) => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new RunnerError("ended", { exitCode: exitCode ?? "none, by a signal" }));
    });
  }

  /** Ask all of them at once; one answer each. @throws {RunnerError} `ended` */
  ask(...requests: readonly FlashRequest[]): Promise<FlashAnswer[]> {
    const written = requests.map(([what, a = 0, b = 0, bytes = new Uint8Array()]) => {
      const request = Buffer.alloc(REQUEST_HEADER_BYTES + bytes.length);
      request.write(what, "latin1");
      request.writeUInt32LE(a >>> 0, 1);
      request.writeUInt32LE(b >>> 0, 5);
      request.writeUInt32LE(bytes.length, 9);
      request.set(bytes, REQUEST_HEADER_BYTES);
      return request;
    });
    const answers = requests.map(
      () => new Promise<FlashAnswer>((resolve, reject) => this.#waiting.push({ resolve, reject })),
    );
    this.#child.stdin.write(Buffer.concat(written));
    return Promise.all(answers);
  }

  /** Ask one. */
  async request(...request: FlashRequest): Promise<FlashAnswer> {
    const [answer] = await this.ask(request);
    return answer ?? { status: 0, isOff: true, operations: 0, bytes: Buffer.alloc(0) };
  }

  /** A new chip with nothing of ours on it. */
  async begin(plan: FlashPlan): Promise<void> {
    const { sectorBytes, writeUnit, ringBytes, outBytes, frameSamples } = plan;
    const numbers = Uint32Array.of(sectorBytes, writeUnit, ringBytes, outBytes, frameSamples);
    await this.request("N", plan.sectors, plan.garbage ?? 0, new Uint8Array(numbers.buffer));
  }

  async standing(): Promise<FlashStanding> {
    const { bytes } = await this.request("Q");
    const numbers = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
    const [violations = 0, epoch = 0, damaged = 0, samples = 0, currentSector = 0, spares = 0, ...erases] = numbers;
    return { violations, epoch, damaged, samples, currentSector, spares, erases };
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const length = this.#received.length < 4 ? Number.POSITIVE_INFINITY : this.#received.readUInt32LE() + 4;
      if (this.#received.length < length) return;
      const whole = this.#received.subarray(0, length);
      this.#received = this.#received.subarray(length);
      this.#waiting.shift()?.resolve({
        status: whole.readInt32LE(4),
        isOff: whole.readUInt32LE(8) !== 0,
        operations: whole.readUInt32LE(12),
        bytes: Buffer.from(whole.subarray(ANSWER_HEADER_BYTES)),
      });
    }
  }
}
