import { type ChildProcess, spawn } from "node:child_process";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { BenchError } from "./bench-error.ts";

/** One TCP segment over IPv4, as it was captured. */
export interface Packet {
  /** Unix time, ms. */
  readonly timeMs: number;
  readonly sourcePort: number;
  readonly targetPort: number;
  /** Of the first byte that it carries, modulo 2³². */
  readonly sequence: number;
  /** Total length as its IP header says. */
  readonly ipBytes: number;
  /** Bytes that it carries behind the TCP header. */
  readonly carriedBytes: number;
  /** The first of those. */
  readonly carried: Buffer;
}

/** Enough for every header and the name in an MQTT CONNECT. */
const SNAP_BYTES = 192;
const KERNEL_BUFFER_KIB = 16_384;
/** The last packets are on their way through the kernel when the run ends. */
const LINGER_MS = 500;
const PCAP_MAGIC = 0xa1b2c3d4;
const PCAP_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET = 1;
const ETHERNET_HEADER = 14;
const IPV4 = 0x0800;

/** Counts what really crosses the loopback interface: `tcpdump` on the ports of the brokers. */
export class PacketCapture {
  readonly #process: ChildProcess;
  readonly #chunks: Buffer[] = [];
  #said = "";

  private constructor(program: string, ports: readonly number[]) {
    const filter = `ip and tcp and (${ports.map((port) => `port ${port}`).join(" or ")})`;
    const flags = [
      "-i",
      "lo",
      "-n",
      "-U",
      "--immediate-mode",
      "-B",
      String(KERNEL_BUFFER_KIB),
      "-s",
      String(SNAP_BYTES),
    ];
    this.#process = spawn(program, [...flags, "-w", "-", filter], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process.stdout?.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
  }

  /** @throws {BenchError} `no-capture` where tcpdump is missing or may not listen */
  static async start(ports: readonly number[]): Promise<PacketCapture> {
    const row = osPackage("tcpdump");
    const program = findProgram(row);
    if (program === undefined) {
      throw new BenchError("no-capture", { need: "tcpdump", debian: `apt-get install ${row.debian.join(" ")}` });
    }
    const capture = new PacketCapture(program, ports);
    await new Promise<void>((resolve, reject) => {
      capture.#process.stderr?.on("data", () => {
        if (capture.#said.includes("listening on")) resolve();
      });
      capture.#process.on("exit", () => reject(new BenchError("no-capture", { tcpdump: capture.#said.trim() })));
    });
    return capture;
  }

  /** End, and give every packet. @throws {BenchError} `no-capture` when some were missed */
  async stop(): Promise<Packet[]> {
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    await new Promise((resolve) => {
      this.#process.once("close", resolve);
      this.#process.kill("SIGINT");
    });
    if (!/\b0 packets dropped by kernel/.test(this.#said)) throw new BenchError("no-capture", { tcpdump: this.#said });
    return readPcap(Buffer.concat(this.#chunks));
  }
}

/**
 * The TCP segments of a capture.
 *
 *     file header 24 B │ record: seconds, µs, captured, original (4 × u32) │ Ethernet 14 B │ IPv4 │ TCP │ carried …
 *
 * @throws {BenchError} `no-capture` when it is not a little-endian pcap of Ethernet frames
 * @see the format's description: Harris and Richardson, "PCAP Capture File Format", IETF draft
 */
export function readPcap(file: Buffer): Packet[] {
  if (file.length < PCAP_HEADER || file.readUInt32LE(0) !== PCAP_MAGIC || file.readUInt32LE(20) !== ETHERNET) {
    throw new BenchError("no-capture", { bytes: file.length, expected: "pcap of Ethernet frames" });
  }
  const packets: Packet[] = [];
  for (let at = PCAP_HEADER; at + RECORD_HEADER <= file.length; ) {
    const captured = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + captured);
    const timeMs = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000;
    at += RECORD_HEADER + captured;
    if (frame.length < captured || frame.readUInt16BE(12) !== IPV4) continue;
    const ip = frame.subarray(ETHERNET_HEADER);
    const ipHeader = 4 * (ip.readUInt8(0) & 0x0f);
    const tcp = ip.subarray(ipHeader);
    const tcpHeader = 4 * (tcp.readUInt8(12) >> 4);
    const ipBytes = ip.readUInt16BE(2);
    packets.push({
      timeMs,
      sourcePort: tcp.readUInt16BE(0),
      targetPort: tcp.readUInt16BE(2),
      sequence: tcp.readUInt32BE(4),
      ipBytes,
      carriedBytes: ipBytes - ipHeader - tcpHeader,
      carried: tcp.subarray(tcpHeader),
    });
  }
  return packets;
}
