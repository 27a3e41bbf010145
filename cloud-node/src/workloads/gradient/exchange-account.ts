import type { Round, WireBytes } from "./coordinator.ts";
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
  /** Rounds that were sent, one for each receiver. */
  receivers: number;
  /** All that came, and all that was sent. */
  up: number;
  down: number;
}

export const EXCHANGE_HEADER =
  "step,contributions,uplinks,payload_bytes,envelope_bytes,other_uplink_bytes,downlink_bytes";

/** Bytes of all messages of a training at place 0, by step and by part. */
export class ExchangeAccount {
  readonly #workers: number;
  readonly #rows: ExchangeRow[] = [];
  #rounds = 0;
  #counted: WireBytes = { up: 0, down: 0 };

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** @param wire  until now */
  add(step: number, { contributions, uplink, receivers }: Round, wire: WireBytes): void {
    this.#rounds += 1;
    let row = this.#rows.at(-1);
    if (row === undefined || Math.floor(row.step / ROW_EVERY) !== Math.floor(step / ROW_EVERY)) {
      row = { step, contributions: 0, uplinks: 0, payload: 0, wire: 0, receivers: 0, up: 0, down: 0 };
      this.#rows.push(row);
    }
    row.step = step;
    row.contributions += contributions.length;
    row.uplinks += uplink.length;
    row.receivers += receivers;
    for (const one of uplink) {
      row.payload += one.payload;
      row.wire += one.wire;
    }
    this.settle(wire);
  }

  /** What was sent may leave later than its round was made. */
  settle(wire: WireBytes): void {
    const row = this.#rows.at(-1);
    if (row === undefined) return;
    row.up += wire.up - this.#counted.up;
    row.down += wire.down - this.#counted.down;
    this.#counted = wire;
  }

  /** Every tenth step as a line of CSV: sums since the line before. */
  csv(): string {
    const lines = this.#rows.map(({ step, contributions, uplinks, payload, wire, up, down }) =>
      [step + 1, contributions, uplinks, payload, wire - payload, up - wire, down].join(","),
    );
    return [EXCHANGE_HEADER, ...lines, ""].join("\n");
  }

  /** @param run  of it the steps that were made since the account was begun */
  summary(run: Pick<ExchangeSummary, "compress" | "parameters" | "steps" | "seconds">): ExchangeSummary {
    const { compress, parameters, steps, seconds } = run;
    const sum = (name: keyof ExchangeRow) => this.#rows.reduce((total, row) => total + row[name], 0);
    const uplinks = sum("uplinks");
    // Averaged over all steps, also those that exchanged nothing.
    const perStep = (bytes: number, times: number) =>
      times === 0 || steps === 0 ? 0 : ((bytes / times) * this.#rounds) / steps;
    const uplinkWire = perStep(sum("wire"), uplinks);
    return {
      ...{ workers: this.#workers, compress, parameters, steps, rounds: this.#rounds },
      missing: this.#workers * this.#rounds - sum("contributions"),
      ...{ uplinkPayload: perStep(sum("payload"), uplinks), uplinkWire },
      uplinkOther: perStep(sum("up") - sum("wire"), (this.#workers - 1) * this.#rounds),
      ratio: uplinkWire === 0 ? 0 : (FLOAT_BYTES * parameters) / uplinkWire,
      downlinkWire: perStep(sum("down"), sum("receivers")),
      ...{ uplinkTotal: sum("up"), downlinkTotal: sum("down") },
      seconds,
      stepsPerSecond: seconds > 0 ? steps / seconds : 0,
    };
  }
}
