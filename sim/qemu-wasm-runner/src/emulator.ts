import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endWithThisProcess } from "./child-end.ts";
import { locateTool } from "./doctor.ts";
import { makePrivateFolder, type PrivateFolder } from "./private-folder.ts";
import { RunnerError } from "./runner-error.ts";
import type { ProgramEnd, RunningProgram } from "./running-program.ts";
import type { Emulator } from "./target.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** A Unix socket's path is in an array of 108 bytes, and ends in a zero. */
const SOCKET_PATH_BYTES_MAX = 107;
/** QEMU is there in a quarter of a second; a loaded machine may take long. */
const START_TIMEOUT_MS = 30_000;

/** How a machine is emulated. */
export interface EmulatorOptions {
  /** Virtual time by instructions, so that they can be counted: slower. */
  readonly isCounting: boolean;
  /** Further arguments of QEMU. */
  readonly extraArgs?: readonly string[];
}

/**
 * Start a program on an emulated machine. Its UART is a Unix socket that is listened on before QEMU starts, so that no
 * byte is lost.
 *
 * @throws {RunnerError} `missing-tool`, `socket-path-too-long`, `emulator-failed` with what QEMU said, `timeout`
 */
export async function startEmulator(
  emulator: Extract<Emulator, { kind: "system" }>,
  file: string,
  options: EmulatorOptions,
): Promise<RunningProgram> {
  const command = locateTool(emulator.tool);
  const folder = await makePrivateFolder(tmpdir(), "wasm-run-");
  const watchdog = startWatchdog(folder.path);
  const path = join(folder.path, "uart");
  let server: Server | undefined;
  try {
    const bytes = Buffer.byteLength(path);
    if (bytes > SOCKET_PATH_BYTES_MAX) {
      throw new RunnerError("socket-path-too-long", { path, bytes, most: SOCKET_PATH_BYTES_MAX, set: "TMPDIR" });
    }
    server = createServer({ allowHalfOpen: true }).listen(path);
    await once(server, "listening");
    const child = spawn(command, qemuArgs(emulator, file, path, options), { stdio: ["ignore", "ignore", "pipe"] });
    return await connected(child, server, folder, watchdog, emulator.announcesUart);
  } catch (error) {
    server?.close();
    await folder.remove();
    watchdog.dismiss();
    throw error;
  }
}

function qemuArgs(
  { args, loader, countingShift }: Extract<Emulator, { kind: "system" }>,
  file: string,
  socket: string,
  { isCounting, extraArgs = [] }: EmulatorOptions,
): string[] {
  // A comma separates options of QEMU; one in a path is written twice.
  const chardev = `socket,id=uart,path=${socket.replaceAll(",", ",,")}`;
  return [
    ...args,
    ...["-display", "none", "-monitor", "none", "-no-reboot", "-chardev", chardev, "-serial", "chardev:uart"],
    ...(isCounting ? ["-icount", `shift=${countingShift},sleep=on`] : []),
    ...extraArgs,
    ...[loader, file],
  ];
}

async function connected(
  child: ChildProcess,
  server: Server,
  folder: PrivateFolder,
  watchdog: Watchdog,
  announcesUart: boolean,
): Promise<RunningProgram> {
  endWithThisProcess(child, watchdog);
  let errorText = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errorText += chunk.toString();
  });
  const closed = new Promise<Omit<ProgramEnd, "errorText">>((resolve) => {
    child.on("error", () => resolve({ exitCode: null, signal: null }));
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal }));
  }).finally(async () => {
    server.close();
    await folder.remove();
  });
  const uart = await firstConnection(child, server, closed, () => errorText);
  // What QEMU sent before it ended is still to be read: the stream ends after its last byte.
  uart.on("end", () => uart.end());
  uart.on("error", () => {});
  if (announcesUart) {
    const late = AbortSignal.timeout(START_TIMEOUT_MS);
    await Promise.race([firstByte(uart, late), closed]).catch(async () => {
      child.kill("SIGKILL");
      await closed;
      throw new RunnerError("timeout", {
        program: child.spawnfile,
        waitsFor: "board_start",
        afterMs: START_TIMEOUT_MS,
      });
    });
  }
  return {
    input: uart,
    output: uart,
    pid: child.pid ?? 0,
    ended: closed.then((end) => ({ ...end, errorText })),
    end: async () => {
      child.kill("SIGKILL");
      await closed;
      uart.destroy();
    },
  };
}

/** Wait for a byte and take it away; also ends when there is none to come. */
async function firstByte(uart: Socket, late: AbortSignal): Promise<void> {
  while (uart.read(1) === null && !uart.readableEnded && !uart.destroyed) {
    await once(uart, "readable", { signal: late });
  }
}

async function firstConnection(
  child: ChildProcess,
  server: Server,
  closed: Promise<unknown>,
  said: () => string,
): Promise<Socket> {
  const late = AbortSignal.timeout(START_TIMEOUT_MS);
  const connection = once(server, "connection", { signal: late }).then(([socket]) => socket as Socket);
  const first = await Promise.race([connection, closed.then(() => "closed" as const)]).catch(() => "late" as const);
  if (typeof first === "object") return first;
  connection.catch(() => {});
  child.kill("SIGKILL");
  await closed;
  if (first === "late") throw new RunnerError("timeout", { program: child.spawnfile, afterMs: START_TIMEOUT_MS });
  throw new RunnerError("emulator-failed", { program: child.spawnfile, said: said().trim() });
}
