import type { Round } from "./coordinator.ts";
import type { ExchangeSummary } from "./gradient-job.ts";

/** Steps from one row to the next. */
const ROW_EVERY = 10;
const FLOAT_BYTES = 4;

/** Sums over some steps. */
interface ExchangeRow {
  /** The last of them. */
  step: number;
  contributions: number;
  /** That came over the wire: how many, and their bytes by part. */
  uplinks: number;
  payload: number;
  wire: number;
  /** To all others. */
  downlink: number;
}

export const EXCHANGE_HEADER = "step,contributions,uplinks,payload_bytes,envelope_bytes,downlink_bytes";

/** Every byte that training sent, by step and by part. */
export class ExchangeAccount {
  readonly #workers: number;
  readonly #rows: ExchangeRow[] = [];
  #rounds = 0;
  #downlink = 0;
  #first: number | undefined;

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** @param downlinkBytes  sent to the others until now */
  add(step: number, { contributions, uplink }: Round, downlinkBytes: number): void {
    this.#first ??= step;
    this.#rounds += 1;
    let row = this.#rows.at(-1);
    if (row === undefined || Math.floor(row.step / ROW_EVERY) !== Math.floor(step / ROW_EVERY)) {
      row = { step, contributions: 0, uplinks: 0, payload: 0, wire: 0, downlink: 0 };
      this.#rows.push(row);
    }
    row.step = step;
    row.contributions += contributions.length;
    row.uplinks += uplink.length;
    for (const { payload, wire } of uplink) {
      row.payload += payload;
      row.wire += wire;
    }
    this.settle(downlinkBytes);
  }

  /** What was sent may leave later than its round was made. */
  settle(downlinkBytes: number): void {
    const row = this.#rows.at(-1);
    if (row !== undefined) row.downlink += downlinkBytes - this.#downlink;
    this.#downlink = downlinkBytes;
  }

  /** Every tenth step as a line of CSV: sums since the line before. */
  csv(): string {
    const lines = this.#rows.map(({ step, contributions, uplinks, payload, wire, downlink }) =>
      [step + 1, contributions, uplinks, payload, wire - payload, downlink].join(","),
    );
    return [EXCHANGE_HEADER, ...lines, ""].join("\n");
  }

  /** @param steps  made since the account was begun */
  summary(run: Pick<ExchangeSummary, "compress" | "parameters" | "steps" | "seconds">): ExchangeSummary {
    const sum = (pick: (row: ExchangeRow) => number) => this.#rows.reduce((total, row) => total + pick(row), 0);
    const [uplinks, contributions] = [sum((row) => row.uplinks), sum((row) => row.contributions)];
    // Averaged over all steps, also those that exchanged nothing.
    const perStep = (bytes: number, times: number) =>
      times === 0 || run.steps === 0 ? 0 : ((bytes / times) * this.#rounds) / run.steps;
    const uplinkWire = perStep(
      sum((row) => row.wire),
      uplinks,
    );
    return {
      ...{ workers: this.#workers, compress: run.compress, parameters: run.parameters, steps: run.steps },
      rounds: this.#rounds,
      missing: this.#workers * this.#rounds - contributions,
      ...{
        uplinkPayload: perStep(
          sum((row) => row.payload),
          uplinks,
        ),
        uplinkWire,
      },
      ratio: uplinkWire === 0 ? 0 : (FLOAT_BYTES * run.parameters) / uplinkWire,
      downlinkWire: perStep(
        sum((row) => row.downlink),
        uplinks,
      ),
      seconds: run.seconds,
      stepsPerSecond: run.seconds > 0 ? run.steps / run.seconds : 0,
    };
  }
}
