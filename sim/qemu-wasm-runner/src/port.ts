import { once } from "node:events";
import { basename } from "node:path";
import { duplexPair } from "node:stream";
import { SerialPortStream } from "@serialport/stream";
import { findBoard } from "./board.ts";
import { RunnerError } from "./runner-error.ts";
import { type RunningProgram, type Startable, startProgram } from "./running-program.ts";
import { type ByteLink, duplexLink, type StreamBinding, streamBinding } from "./stream-binding.ts";

/** A port of `@serialport/stream`; `port.link` has the running program: its `pid`, and how it `ended`. */
export type FirmwarePort = SerialPortStream<StreamBinding<RunningProgram>>;

/** One end of a line in memory. */
export type MemoryPort = SerialPortStream<StreamBinding<ByteLink>>;

/** How a port is opened. */
export interface PortOptions {
  /** Told to whoever asks; the emulated line has no speed. Default 115,200. */
  readonly baudRate?: number;
  /** Virtual time by instructions: what the firmware measures is then exact. Default false. */
  readonly counting?: boolean;
  /** Further arguments of QEMU: a drive behind a flash chip, say. Not for boards that are no whole machine. */
  readonly extraArgs?: readonly string[];
}

const BAUD_RATE = 115_200;

/**
 * What starts the firmware whenever a port is opened, and ends it when that is closed: the `binding` of a
 * `SerialPortStream` of your own. To open it anew is to unplug the board and plug it in.
 *
 * @throws {RunnerError} `wrong-firmware` for the board `node`, `not-counting`
 */
export function firmwareBinding(
  firmware: Startable,
  { counting = false, extraArgs = [] }: Omit<PortOptions, "baudRate"> = {},
): StreamBinding<RunningProgram> {
  const { board, moduleId, file } = firmware;
  if (file === null) throw new RunnerError("wrong-firmware", { board, has: "no program" });
  if (counting && !findBoard(board).isCounting) throw new RunnerError("not-counting", { board });
  return streamBinding(`${board}:${moduleId?.slice(0, 8) ?? basename(file)}`, () =>
    startProgram(firmware, { isCounting: counting, extraArgs }),
  );
}

/**
 * Start firmware and open a port on its UART: to the application the same as a `SerialPort` on a real line, with `open`,
 * `data`, `close` (with an error when the firmware ended by itself) and `error`.
 *
 * @returns the port once it is open; `close()` ends the firmware
 * @throws {RunnerError} `wrong-firmware`, `not-counting`, `missing-tool`, `emulator-failed`, `timeout`
 */
export async function openPort(firmware: Startable, options: PortOptions = {}): Promise<FirmwarePort> {
  const binding = firmwareBinding(firmware, options);
  const [{ path = "" } = {}] = await binding.list();
  const port = new SerialPortStream({ binding, path, baudRate: options.baudRate ?? BAUD_RATE });
  await once(port, "open");
  return port;
}

/**
 * Two ports in memory, each the other's far end: for an application without any firmware.
 *
 * @returns both, open; a port that is closed is lost for good, and the other one closes with an error
 */
export async function openPortPair({
  baudRate = BAUD_RATE,
}: Pick<PortOptions, "baudRate"> = {}): Promise<[MemoryPort, MemoryPort]> {
  const [a, b] = duplexPair();
  const [near, far] = [a, b].map((stream, end) => {
    const path = `memory:${end}`;
    return new SerialPortStream({
      binding: streamBinding(path, async () => duplexLink(stream)),
      path,
      baudRate,
    });
  }) as [MemoryPort, MemoryPort];
  await Promise.all([once(near, "open"), once(far, "open")]);
  return [near, far];
}
