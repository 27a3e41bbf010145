import { type Command, Option } from "commander";
import { parsePositive, parsePositiveCount } from "../option-values.ts";
import type { Surroundings } from "../surroundings.ts";
import { addDeviceOptions, type DeviceOptions } from "./device-options.ts";

interface FleetOptions extends DeviceOptions {
  readonly count: number;
  readonly signal: string;
  readonly channels: number;
  readonly rate: number;
  readonly rel: number;
}

/** Those that need no file; `sim/signals` of the simulator has them. */
const SIGNALS = ["rotor", "sine", "walk", "steps", "bursts"];

const HELP = `
Each device has a signal of its own, made from the seed and its name: sim-1, sim-2, …

Examples:
  $ lockstep sim fleet --to mqtt://localhost:1883 --count 200 --rate 2 --frame-samples 20 --duration 60
  $ lockstep sim fleet --to mqtt://localhost:1883 --signal steps --lookahead greedy`;

/** `lockstep sim fleet`: many devices of one kind. */
export function addSimFleet(sim: Command, surroundings: Surroundings): void {
  const command = sim
    .command("fleet")
    .summary("many devices of one kind")
    .description("Many simulated devices of one kind, in real time, from this one process.")
    .option("--count <DEVICES>", "how many", parsePositiveCount, 10)
    .addOption(new Option("--signal <NAME>", "what they measure").choices(SIGNALS).default("walk"))
    .option("--channels <COUNT>", "of each device, except rotors, which have six", parsePositiveCount, 3)
    .option("--rate <HZ>", "samples per second", parsePositive, 10)
    .option("--rel <NUMBER>", "error bound as a part of each channel's range", parsePositive, 0.01);
  addDeviceOptions(command, { frameSamples: 50 })
    .addHelpText("after", HELP)
    .action(async (options: FleetOptions) => {
      const { runDevices } = await import("./run-devices.ts");
      const { count, signal: name, channels, rate, rel, frameSamples, silence, ring, lookahead, id = "sim" } = options;
      const signal = name === "rotor" ? { name, rateHz: rate } : { name, channels, rateHz: rate };
      const plan = { id, count, signal, eps: { rel }, frameSamples, silenceMs: silence, ringBytes: ring, lookahead };
      await runDevices(surroundings, [plan], options);
    });
}
