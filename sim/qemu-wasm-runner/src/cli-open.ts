import type { CliContext } from "./cli-context.ts";
import type { CliValues } from "./cli-options.ts";
import { type ProgramEnd, type RunningProgram, type Startable, startProgram } from "./running-program.ts";
import { stopReasonOf } from "./trap-reason.ts";
import { offerUart } from "./uart-socket.ts";

/**
 * The command `open`: a program on a board, its UART at a socket or at standard input and output, until it ends or Ctrl-C.
 *
 * @returns the exit code: 1 when the program ended by itself with another than 0
 * @throws {RunnerError} as `startProgram`; `file-failed` for the socket
 */
export async function openCommand(program: Startable, values: CliValues, context: CliContext): Promise<number> {
  const running = await startProgram(program, { isCounting: false });
  let isInterrupted = false;
  const release = context.onInterrupt(() => {
    isInterrupted = true;
    void running.end();
  });
  try {
    const end = await (values.socket === undefined
      ? atStandardStreams(running, context)
      : atSocket(running, program, values.socket, values, context));
    return isInterrupted ? 0 : tellEnd(end, context);
  } finally {
    release();
    await running.end();
  }
}

/** Input may end before the program does: the line stays open. */
async function atStandardStreams({ input, output, ended }: RunningProgram, context: CliContext): Promise<ProgramEnd> {
  const closed = new Promise<void>((resolve) => output.on("close", resolve));
  output.on("data", (bytes: Buffer) => context.outBytes(bytes));
  context.input.pipe(input, { end: false });
  const end = await ended;
  // What it said last may still be on its way.
  await closed;
  context.input.unpipe();
  context.input.destroy();
  return end;
}

async function atSocket(
  running: RunningProgram,
  { board }: Startable,
  socket: string,
  { json }: CliValues,
  context: CliContext,
): Promise<ProgramEnd> {
  const offer = await offerUart(running, socket);
  const { pid } = running;
  if (json) context.out(`${JSON.stringify({ board, socket, pid })}\n`);
  else context.out(`the UART of ${board} is at ${socket}, process ${pid}; Ctrl-C ends it\n`);
  const end = await running.ended;
  await offer.close();
  return end;
}

function tellEnd({ exitCode, signal, errorText }: ProgramEnd, context: CliContext): number {
  if (exitCode === 0) return 0;
  const trap = stopReasonOf(exitCode);
  const how =
    exitCode === null ? `was ended by ${signal}` : `ended with ${exitCode}${trap === null ? "" : `, ${trap}`}`;
  context.error(`wasm runner: the program ${how}\n${errorText}`);
  return 1;
}
