import type { Duplex, Readable, Writable } from "node:stream";
import type { SerialPortStream } from "@serialport/stream";
import { RunnerError } from "./runner-error.ts";

/** Bytes in both directions, and the end of them. */
export interface ByteLink {
  readonly input: Writable;
  readonly output: Readable;
  /** End it now. */
  end(): Promise<void>;
}

/** A port's name and line settings, as `@serialport/stream` passes them. */
export type PortSettings = Parameters<ConstructorParameters<typeof SerialPortStream>[0]["binding"]["open"]>[0];

/** What `@serialport/stream` wants of an open port. */
export type OpenedPort = NonNullable<SerialPortStream["port"]>;

/** What `serialport` calls a binding, over streams in place of a device. */
export interface StreamBinding<Link extends ByteLink> {
  list(): ReturnType<ConstructorParameters<typeof SerialPortStream>[0]["binding"]["list"]>;
  open(settings: PortSettings): Promise<StreamPort<Link>>;
}

/**
 * A binding whose one port is made anew each time it is opened.
 *
 * @param path  what the port is called
 */
export function streamBinding<Link extends ByteLink>(path: string, connect: () => Promise<Link>): StreamBinding<Link> {
  const unknown = { manufacturer: undefined, serialNumber: undefined, pnpId: undefined, locationId: undefined };
  return {
    list: async () => [{ path, ...unknown, productId: undefined, vendorId: undefined }],
    open: async (settings) => new StreamPort(await connect(), settings),
  };
}

/** A link of one stream for both directions. */
export function duplexLink(stream: Duplex): ByteLink {
  return {
    input: stream,
    output: stream,
    end: async () => {
      stream.destroy();
    },
  };
}

/** An open port: what `@serialport/stream` reads and writes. The line's settings are kept, and have no effect. */
export class StreamPort<Link extends ByteLink> implements OpenedPort {
  readonly openOptions: Required<PortSettings>;
  /** What the port stands on. */
  readonly link: Link;
  isOpen = true;
  #wake: () => void = () => {};

  constructor(link: Link, settings: PortSettings) {
    const line = { dataBits: 8, stopBits: 1, parity: "none", rtscts: false, lock: true, hupcl: true } as const;
    this.openOptions = { ...line, xon: false, xoff: false, xany: false, ...settings };
    this.link = link;
    for (const event of ["readable", "end", "close", "error"]) link.output.on(event, () => this.#wake());
    link.input.on("error", () => {});
  }

  async close(): Promise<void> {
    this.#expectOpen();
    this.isOpen = false;
    this.#wake();
    await this.link.end();
  }

  async read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
    const { output } = this.link;
    for (;;) {
      this.#expectOpen();
      const waiting = Math.min(length, output.readableLength);
      const chunk: Buffer | null = waiting > 0 ? output.read(waiting) : output.read(0);
      if (chunk !== null) return { buffer, bytesRead: chunk.copy(buffer, offset) };
      if (output.readableEnded || output.destroyed) throw new RunnerError("ended", { port: this.openOptions.path });
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async write(bytes: Buffer): Promise<void> {
    this.#expectOpen();
    await new Promise<void>((resolve, reject) => {
      this.link.input.write(bytes, (cause) => {
        if (!cause) resolve();
        else if (this.isOpen) reject(new RunnerError("ended", { port: this.openOptions.path }, { cause }));
        else reject(closedError(this.openOptions.path));
      });
    });
  }

  /** Drop what has come and was not read. */
  async flush(): Promise<void> {
    this.#expectOpen();
    this.link.output.read();
  }

  /** A write ends when its bytes are out: nothing is left to wait for. */
  async drain(): Promise<void> {
    this.#expectOpen();
  }

  async update({ baudRate }: { baudRate: number }): Promise<void> {
    this.#expectOpen();
    this.openOptions.baudRate = baudRate;
  }

  async set(): Promise<void> {
    this.#expectOpen();
  }

  async get(): Promise<{ cts: boolean; dsr: boolean; dcd: boolean }> {
    this.#expectOpen();
    return { cts: true, dsr: true, dcd: true };
  }

  async getBaudRate(): Promise<{ baudRate: number }> {
    return { baudRate: this.openOptions.baudRate };
  }

  #expectOpen(): void {
    if (!this.isOpen) throw closedError(this.openOptions.path);
  }
}

/** `canceled` tells `@serialport/stream` that the port was closed, not lost. */
function closedError(path: string): RunnerError & { readonly canceled: true } {
  return Object.assign(new RunnerError("port-closed", { port: path }), { canceled: true as const });
}
