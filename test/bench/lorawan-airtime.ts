/** How one LoRa packet is sent. */
export interface LoraModulation {
  /** 7 … 12: chips per symbol, as a power of two. */
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
}

/** Data rate 0 of EU868: the farthest reaching, and the slowest. */
export const EU868_DR0: LoraModulation = { spreadingFactor: 12, bandwidthHz: 125_000 };
/** Data rate 5 of EU868: the fastest with this bandwidth. */
export const EU868_DR5: LoraModulation = { spreadingFactor: 7, bandwidthHz: 125_000 };

/** The most that an application may send at DR0 to DR2. @see LoRaWAN Regional Parameters 1.0.3, table 7 (N, EU863-870) */
export const DR0_PAYLOAD_BYTES = 51;

/** MHDR 1, FHDR 7 (address 4, control 1, counter 2), FPort 1, MIC 4. @see LoRaWAN Specification 1.0.3, section 4 */
export const LORAWAN_OVERHEAD_BYTES = 13;

/** Of an hour, in most of EU868's sub-bands. @see ETSI EN 300 220-2; LoRaWAN Regional Parameters 1.0.3, section 2.2 */
export const EU868_DUTY_CYCLE = 0.01;

/** Symbols, as LoRaWAN has them in every region. */
const PREAMBLE_SYMBOLS = 8;
/** The synchronisation word and the start of the frame. */
const SYNC_SYMBOLS = 4.25;
/** 4/5: one bit more for every four. */
const CODING_RATE = 1;
/** From this length of a symbol on, a drifting crystal is allowed for. */
const SLOW_SYMBOL_MS = 16;
const CRC_BITS = 16;
/** What the preamble's end and the explicit header take at least. */
const LEAST_PAYLOAD_SYMBOLS = 8;

/**
 * Time on air of one up-link, ms: explicit header, checksum, coding rate 4/5.
 *
 *     T = (n_preamble + 4.25 + 8 + max(0, ceil((8 PL − 4 SF + 28 + 16) / (4 (SF − 2 DE))) (CR + 4))) 2^SF / BW
 *
 * @param phyBytes  PL: the whole LoRaWAN packet, its overhead included
 * @see Semtech, AN1200.13 "LoRa Modem Designer's Guide", section 4
 */
export function airtimeMs({ spreadingFactor, bandwidthHz }: LoraModulation, phyBytes: number): number {
  const symbolMs = (1000 * 2 ** spreadingFactor) / bandwidthHz;
  const bitsPerGroup = 4 * (spreadingFactor - (symbolMs > SLOW_SYMBOL_MS ? 2 : 0));
  const groups = Math.ceil((8 * phyBytes - 4 * spreadingFactor + 28 + CRC_BITS) / bitsPerGroup);
  const payloadSymbols = LEAST_PAYLOAD_SYMBOLS + Math.max(0, groups * (CODING_RATE + 4));
  return (PREAMBLE_SYMBOLS + SYNC_SYMBOLS + payloadSymbols) * symbolMs;
}
