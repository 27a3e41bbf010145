import type { BenchTable } from "./bench.ts";
import { choose, frameName, plainBeside, round, type WireCell } from "./wire-cells.ts";

/** MQTT and TCP: the ratio at each layer. */
export function layersTable(title: string, cells: readonly WireCell[], all: readonly WireCell[]): BenchTable {
  return {
    title,
    columns: [
      "frame",
      "over",
      "stream",
      "acknowledged",
      "packets up",
      "payload x",
      "frame x",
      "MQTT or length x",
      "IP up x",
      "IP both x",
      "plain / this, IP up",
      "IP both",
    ],
    rows: cells.map((cell) => {
      const plain = plainBeside(all, cell);
      const ratio = (bytes: number) => round(cell.rawBytes / bytes);
      return [
        frameName(cell),
        cell.link,
        cell.stream,
        cell.acks,
        round(cell.packetsUp),
        ratio(cell.payloadBytes),
        ratio(cell.frameBytes),
        ratio(cell.linkBytesUp),
        ratio(cell.ipBytesUp),
        ratio(cell.ipBytesBoth),
        round((plain?.ipBytesUp ?? Number.NaN) / cell.ipBytesUp),
        round((plain?.ipBytesBoth ?? Number.NaN) / cell.ipBytesBoth),
      ];
    }),
  };
}

/** A serial line has no packets: what counts is the bytes on it. */
export function serialTable(title: string, cells: readonly WireCell[], all: readonly WireCell[]): BenchTable {
  return {
    title,
    columns: [
      "signal",
      "frame",
      "stream",
      "part",
      "payload x",
      "frame x",
      "line up x",
      "line both x",
      "plain / this, line up",
      "line up, bit/s",
    ],
    rows: cells.map((cell) => {
      const plain = plainBeside(all, cell);
      const ratio = (bytes: number) => round(cell.rawBytes / bytes);
      return [
        cell.signal,
        frameName(cell),
        cell.stream,
        cell.part,
        ratio(cell.payloadBytes),
        ratio(cell.frameBytes),
        ratio(cell.linkBytesUp),
        ratio(cell.linkBytesBoth),
        round((plain?.linkBytesUp ?? Number.NaN) / cell.linkBytesUp),
        round((UART_BITS_PER_BYTE * cell.linkBytesUp * RAW_BYTES_PER_SECOND) / cell.rawBytes),
      ];
    }),
  };
}

/** A start bit and a stop bit around each byte. */
const UART_BITS_PER_BYTE = 10;
/** Six float32 a hundred times a second. */
const RAW_BYTES_PER_SECOND = 2400;

/** The same cells at true real time and sped up: what speeding up changes. */
export function speedTable(title: string, cells: readonly WireCell[], speed: number): BenchTable {
  const pairs = choose(cells, { stream: "Lockstep", link: "MQTT", speed: 1 }).flatMap((real) => {
    const { signal, stream, link, frameSamples, acks, part } = real;
    const [fast] = choose(cells, { signal, stream, link, frameSamples, acks, part, speed });
    return fast === undefined ? [] : [{ real, fast }];
  });
  return {
    title,
    columns: [
      "signal",
      "frame",
      "acknowledged",
      "part",
      "IP up x",
      `at ${speed} times`,
      "IP both x",
      `at ${speed} times`,
    ],
    rows: pairs.map(({ real, fast }) => [
      real.signal,
      frameName(real),
      real.acks,
      real.part,
      round(real.rawBytes / real.ipBytesUp),
      round(fast.rawBytes / fast.ipBytesUp),
      round(real.rawBytes / real.ipBytesBoth),
      round(fast.rawBytes / fast.ipBytesBoth),
    ]),
  };
}

/** Which bytes a data frame costs, on average over a part. */
export function partsTable(title: string, cells: readonly WireCell[]): BenchTable {
  return {
    title,
    columns: [
      "signal",
      "frame",
      "over",
      "acknowledged",
      "payload",
      "envelope",
      "statuses, heartbeats",
      "MQTT headers, pings, or length",
      "TCP/IP headers of these",
      "bare TCP segments",
      "sum",
    ],
    rows: cells.map(({ perFrame, ...cell }) => [
      cell.signal,
      frameName(cell),
      cell.link,
      cell.acks,
      round(perFrame.payload),
      round(perFrame.envelope),
      round(perFrame.statuses),
      round(perFrame.link),
      round(perFrame.ip),
      round(perFrame.bare),
      round(perFrame.sum),
    ]),
  };
}
