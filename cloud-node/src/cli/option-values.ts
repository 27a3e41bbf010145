import { DEFAULT_BAUD_RATE, isBaudRate, MAX_BAUD_RATE, MIN_BAUD_RATE } from "@lockstep/edge-sdk";
import { formatTopic } from "@lockstep/protocol";
import { InvalidArgumentError } from "commander";

/** More threads than these no machine has cores for. */
const MOST_THREADS = 256;

/** Parsers of option values: each gives the value, or says in one line what to write instead. */

/** A port, 0 meaning "any free one". */
export function parsePort(text: string): number {
  return parseWithin(text, 0, 65_535, true, "a port, 0 to 65535");
}

/** A serial port of this computer. */
export interface SerialPortName {
  readonly path: string;
  /** Bits per second, MIN_BAUD_RATE … MAX_BAUD_RATE. */
  readonly baud: number;
}

/** PATH, or PATH,BAUD. */
export function parseSerialPort(text: string): SerialPortName {
  const [, path, rate = String(DEFAULT_BAUD_RATE)] = /^([^,]+)(?:,([^,]*))?$/.exec(text) ?? [];
  const baud = /^[1-9]\d*$/.test(rate) ? Number(rate) : 0;
  if (path === undefined || !isBaudRate(baud)) {
    const range = `a rate, ${MIN_BAUD_RATE} to ${MAX_BAUD_RATE}, if need be`;
    throw new InvalidArgumentError(`write the path of a serial port, and ${range}: /dev/ttyUSB0,9600`);
  }
  return { path, baud };
}

/** A whole number ≥ 0. */
export function parseCount(text: string): number {
  return parseWithin(text, 0, Number.MAX_SAFE_INTEGER, true, "a whole number ≥ 0");
}

/** Threads beside a command's own. */
export function parseThreads(text: string): number {
  return parseWithin(text, 0, MOST_THREADS, true, `a whole number from 0 to ${MOST_THREADS}`);
}

/** Threads of what does nothing else. */
export function parseSomeThreads(text: string): number {
  return parseWithin(text, 1, MOST_THREADS, true, `a whole number from 1 to ${MOST_THREADS}`);
}

/** A whole number ≥ 1. */
export function parsePositiveCount(text: string): number {
  return parseWithin(text, 1, Number.MAX_SAFE_INTEGER, true, "a whole number ≥ 1");
}

/** Memory of a thread, MiB: not less than Node itself needs. */
export function parseMemory(text: string): number {
  return parseWithin(text, 16, Number.MAX_SAFE_INTEGER, true, "a whole number ≥ 16");
}

/** A number > 0. */
export function parsePositive(text: string): number {
  return parseWithin(text, Number.MIN_VALUE, Number.MAX_VALUE, false, "a number > 0");
}

/** A number ≥ 0. */
export function parseNonNegative(text: string): number {
  return parseWithin(text, 0, Number.MAX_VALUE, false, "a number ≥ 0");
}

/** Part of a whole: above 0, up to 1. */
export function parseShare(text: string): number {
  return parseWithin(text, Number.MIN_VALUE, 1, false, "a number above 0, up to 1");
}

/** How old a frame may be before it is acknowledged, ms. */
export function parseAckAge(text: string): number {
  const why = "a device takes a node that says nothing for a minute for gone, and connects anew";
  return parseWithin(text, 0, 30_000, false, `milliseconds, 0 to 30000: ${why}`);
}

/** A seed: a whole number below 2^32. */
export function parseSeed(text: string): number {
  return parseWithin(text, 0, 2 ** 32 - 1, true, "a whole number from 0 to 4294967295");
}

/** The name of a device or a group, as topics carry it. */
export function parseName(text: string): string {
  try {
    formatTopic({ group: text, device: text, level: "birth" });
    return text;
  } catch {
    throw new InvalidArgumentError("write 1 to 64 letters, digits, _ or -");
  }
}

/** Names with commas between them. */
export function parseNames(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function parseWithin(text: string, min: number, max: number, isWhole: boolean, expected: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= min && value <= max) || (isWhole && !Number.isInteger(value))) {
    throw new InvalidArgumentError(`write ${expected}`);
  }
  return value;
}
