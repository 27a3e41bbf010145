import type { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { parsePositive } from "../option-values.ts";
import type { Surroundings } from "../surroundings.ts";
import { addDeviceOptions, type DeviceOptions } from "./device-options.ts";

interface RecordedOptions extends DeviceOptions {
  readonly eps?: number;
  readonly rel?: number;
  readonly rate?: number;
}

const HELP = `
FILE is CSV with a header line (a column called time, in seconds, says when), or float32 with a JSON file beside it:
  {"samples": 13514, "channels": ["ax", "ay"], "units": ["g", "g"], "rate_hz": 100}
The word imu stands for the hand-held IMU recording that comes with Lockstep. It starts again when it ends.

Examples:
  $ lockstep sim recorded imu --to mqtt://localhost:1883 --rel 1e-2
  $ lockstep sim recorded drive.csv --to tcp://localhost:7400 --eps 0.05 --rate 50
  $ lockstep sim recorded imu --to mqtt://localhost:1883 --rel 1e-2 --lookahead programme`;

/** `lockstep sim recorded`: a recording as a device. */
export function addSimRecorded(sim: Command, surroundings: Surroundings): void {
  const command = sim
    .command("recorded")
    .summary("a recording, played as a device")
    .description("Play a recording as a device, in real time.")
    .argument("<FILE>", "CSV, or float32 with a JSON file beside it; imu: the one that comes along")
    .option("--eps <NUMBER>", "error bound in the channels' own units", parsePositive)
    .option("--rel <NUMBER>", "error bound as a part of each channel's range", parsePositive)
    .option("--rate <HZ>", "samples per second, where the file does not say it", parsePositive);
  addDeviceOptions(command, { frameSamples: 100 })
    .addHelpText("after", HELP)
    .action(async (file: string, options: RecordedOptions) => {
      const { eps, rel, rate, frameSamples, silence, ring, lookahead, id = "recorded-1" } = options;
      if ((eps === undefined) === (rel === undefined)) {
        throw new CommandError("usage", "one of --eps and --rel says how exact values must stay", "give one of them");
      }
      const { runDevices } = await import("./run-devices.ts");
      const signal = { name: "recorded", file, rateHz: rate };
      const rule = eps === undefined ? { rel: rel ?? 0 } : { abs: eps };
      const plan = { id, signal, eps: rule, frameSamples, silenceMs: silence, ringBytes: ring, lookahead };
      await runDevices(surroundings, [plan], options);
    });
}
