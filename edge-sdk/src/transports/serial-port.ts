import { readFile, stat } from "node:fs/promises";
import type { SerialPort } from "serialport";
import type { Clock } from "../clock.ts";
import { TransportError, type TransportErrorCode } from "../transport.ts";
import type { SerialPortLike } from "./serial-line.ts";
import { openSerialSocket, serialSocketPath } from "./serial-socket.ts";

export interface SerialPortOptions {
  /** `/dev/ttyUSB0`, `/dev/serial/by-id/…`, `COM3`; `unix:PATH` for a line that is a Unix socket, as QEMU's can be. */
  readonly path: string;
  /** Bits per second, MIN_BAUD_RATE … MAX_BAUD_RATE; a port over USB without a wire behind it takes any, a socket has none. */
  readonly baudRate: number;
  readonly clock: Clock;
}

/** What most boards and their examples are set to. */
export const DEFAULT_BAUD_RATE = 115_200;
/** The slowest rate that the terminal interface has a name for. @see termios(3) */
export const MIN_BAUD_RATE = 50;
/** The fastest one. */
export const MAX_BAUD_RATE = 4_000_000;
/** Frames wait in the device's ring rather than here, where they would be late: a third of a second of the default rate. */
const BUFFER_BYTES = 4_096;
/** How often a port that is in use is looked for: one that was unplugged does not always say so. */
const LOOK_MS = 1_000;

/**
 * Open a serial port of this computer: 8 bits, no parity, one stop bit, no flow control, and nobody else may.
 *
 * @throws {TransportError} `no-port`, `port-denied`, `not-a-port`, `port-busy`, `port-failed`, `no-serialport`, `bad-rate`
 */
export async function openSerialPort({ path, baudRate, clock }: SerialPortOptions): Promise<SerialPortLike> {
  if (!isBaudRate(baudRate)) {
    throw new TransportError("bad-rate", { rate: baudRate, least: MIN_BAUD_RATE, most: MAX_BAUD_RATE });
  }
  const socket = serialSocketPath(path);
  if (socket !== undefined) return openSerialSocket(socket);
  // Names of ports are no files there.
  const device = process.platform === "win32" ? undefined : await deviceAt(path);
  const { SerialPort } = await loadSerialPort();
  const settings = { path, baudRate, autoOpen: false, highWaterMark: BUFFER_BYTES };
  const port = new SerialPort(settings);
  const failure = await new Promise<Error | null>((resolve) => port.open(resolve));
  if (failure !== null) throw await openingError(path, failure);
  if (device !== undefined) watch(path, device, clock, port);
  return port;
}

/**
 * The port that an address names.
 *
 * @param url  `serial:PATH`, or with `?baud=RATE` behind it
 * @throws {TransportError} `bad-url`, also for a rate outside MIN_BAUD_RATE … MAX_BAUD_RATE
 */
export function parseSerialUrl(url: string): { readonly path: string; readonly baudRate: number } {
  const [, path, rate] = /^serial:([^?]+)(?:\?baud=([1-9]\d*))?$/.exec(url) ?? [];
  const baudRate = rate === undefined ? DEFAULT_BAUD_RATE : Number(rate);
  if (path !== undefined && isBaudRate(baudRate)) return { path, baudRate };
  const expected = `serial:PATH?baud=RATE, the rate ${MIN_BAUD_RATE} to ${MAX_BAUD_RATE}`;
  throw new TransportError("bad-url", { url, expected });
}

/** Whether this is the rate of a serial port, bits per second. */
export function isBaudRate(rate: number): boolean {
  return Number.isInteger(rate) && rate >= MIN_BAUD_RATE && rate <= MAX_BAUD_RATE;
}

async function loadSerialPort(): Promise<typeof import("serialport")> {
  try {
    // A tenth of a second to load, which only those pay who use it; and it may be left out of an installation.
    return await import("serialport");
  } catch (cause) {
    const detail = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new TransportError("no-serialport", { detail }, { cause });
  }
}

/** The number of the device that a path names. Says what opening would not say, or not say plainly. */
async function deviceAt(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isCharacterDevice()) return found.rdev;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (code === "ENOENT" || code === "ENOTDIR") throw new TransportError("no-port", { path }, { cause });
    throw new TransportError("port-failed", { path, detail: code }, { cause });
  }
  throw new TransportError("not-a-port", { path });
}

/** The package tells the system's error by its text alone. */
async function openingError(path: string, cause: Error): Promise<TransportError> {
  const detail = cause.message;
  if (/permission denied/i.test(detail)) {
    return new TransportError("port-denied", { path, group: await groupOf(path) }, { cause });
  }
  const code = MEANINGS.find(([pattern]) => pattern.test(detail))?.[1] ?? "port-failed";
  return new TransportError(code, { path, detail }, { cause });
}

const MEANINGS: readonly (readonly [RegExp, TransportErrorCode])[] = [
  // Windows says "access denied" of a port that another program has.
  [/cannot lock|access denied|device busy|resource busy/i, "port-busy"],
  [/no such file|not found/i, "no-port"],
  [/inappropriate ioctl/i, "not-a-port"],
];

/** @see group(5) */
async function groupOf(path: string): Promise<string> {
  const { gid } = await stat(path);
  const lines = await readFile("/etc/group", "utf8").catch(() => "");
  const found = lines.split("\n").find((line) => line.split(":")[2] === String(gid));
  return found?.split(":")[0] ?? String(gid);
}

/** Close the port when its device is gone, or is another one by now. */
function watch(path: string, device: number, clock: Clock, port: SerialPort): void {
  const look = async () => {
    const isThere = await deviceAt(path).then(
      (found) => found === device,
      () => false,
    );
    if (!port.isOpen) return;
    if (isThere) timer = clock.setTimer(look, LOOK_MS);
    else port.close();
  };
  let timer = clock.setTimer(look, LOOK_MS);
  port.on("close", () => timer.cancel());
}
