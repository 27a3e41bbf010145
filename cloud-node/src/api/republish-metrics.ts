import { Counter, Gauge, type Registry } from "prom-client";
import type { ApiRepublish } from "./api-node.ts";

/** The numbers of re-publishing; only of a node that does. */
export class RepublishMetrics {
  readonly #republish: ApiRepublish;
  readonly #messages: Counter<"format">;
  readonly #values: Counter<"format">;
  readonly #dropped: Counter<"format">;
  readonly #connections: Counter<"format">;
  readonly #skipped: Counter;
  readonly #queued: Gauge<"format">;
  readonly #connected: Gauge<"format">;

  constructor(republish: ApiRepublish, registry: Registry) {
    this.#republish = republish;
    const registers = [registry];
    const labelNames = ["format"] as const;
    const counter = (name: string, help: string) =>
      new Counter({ name: `lockstep_republish_${name}_total`, help, labelNames, registers });
    this.#messages = counter("messages", "Messages re-published, births and deaths included.");
    this.#values = counter("values", "Channel-samples re-published.");
    this.#dropped = counter("dropped_values", "Channel-samples given up because the broker was away or slow.");
    this.#connections = counter("connections", "Connections to the broker that values are re-published by.");
    this.#skipped = new Counter({
      name: "lockstep_republish_skipped_samples_total",
      help: "Confirmed samples left out because only the newest were asked for, or could not be read any more.",
      registers,
    });
    const gauge = (name: string, help: string) =>
      new Gauge({ name: `lockstep_republish_${name}`, help, labelNames, registers });
    this.#queued = gauge("queued_values", "Channel-samples that wait for the broker.");
    this.#connected = gauge("connected", "Whether the broker is reached: 1, or 0.");
  }

  /** Take the numbers as they are now. */
  collect(): void {
    const { formats, skippedRows } = this.#republish.report();
    for (const counter of [this.#messages, this.#values, this.#dropped, this.#connections]) counter.reset();
    this.#skipped.reset();
    this.#skipped.inc(skippedRows);
    for (const { format, messages, values, droppedValues, queuedValues, connections, isConnected } of formats) {
      this.#messages.inc({ format }, messages);
      this.#values.inc({ format }, values);
      this.#dropped.inc({ format }, droppedValues);
      this.#connections.inc({ format }, connections);
      this.#queued.set({ format }, queuedValues);
      this.#connected.set({ format }, Number(isConnected));
    }
  }
}
