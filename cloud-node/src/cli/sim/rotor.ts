import type { Command } from "commander";
import { parseNonNegative, parsePositive } from "../option-values.ts";
import type { Surroundings } from "../surroundings.ts";
import { addDeviceOptions, type DeviceOptions } from "./device-options.ts";

interface RotorOptions extends DeviceOptions {
  readonly omega: number;
  readonly jitter: number;
  readonly rate: number;
  readonly sigma: number;
  readonly eps: number;
}

const HELP = `
Six channels: with the phase p = omega t + random walk (jitter),
  x sin p, y cos p, z 0.8 + 0.02 sin p, rx 0.5 sin(p + 0.3), ry 0.5 cos(p + 0.3), rz 1 + 0.1 sin(p + 1),
each with noise N(0, sigma^2). The reference is 100 rad/s = 15.9 turns a second, sampled at 100 Hz.

Why not 100 Hz: a rotor that turns 100 times a second is caught at the same angle by each of 100 samples a second, as
under a stroboscope, and seems to stand still. At 100.3 turns it seems to turn 0.3 times a second, and nothing in the
samples tells it from one that does. What turns faster than half the rate is seen as something slower (aliasing); try
  --omega 628.3185 (100 Hz: stands still)    --omega 630.2035 (100.3 Hz: seen as 0.3 Hz)

With --lookahead the device is a gateway: it draws straight lines through a frame where that is smaller.

Examples:
  $ lockstep sim rotor --to mqtt://localhost:1883 --duration 60 --frame-samples 500
  $ lockstep sim rotor --to mqtt://localhost:1883 --omega 0.5 --lookahead programme`;

/** `lockstep sim rotor`: the reference signal. */
export function addSimRotor(sim: Command, surroundings: Surroundings): void {
  const command = sim
    .command("rotor")
    .summary("a rotating machine with six degrees of freedom")
    .description("A simulated rotor with six degrees of freedom, in real time.")
    .option("--omega <RAD/S>", "angular frequency", parseNonNegative, 100)
    .option("--jitter <RAD>", "random walk of the phase, standard deviation per sample", parseNonNegative, 0)
    .option("--rate <HZ>", "samples per second", parsePositive, 100)
    .option("--sigma <NUMBER>", "noise on every channel, standard deviation", parseNonNegative, 0.01)
    .option("--eps <NUMBER>", "error bound", parsePositive, 0.05);
  addDeviceOptions(command, { frameSamples: 100 })
    .addHelpText("after", HELP)
    .action(async (options: RotorOptions) => {
      const { runDevices } = await import("./run-devices.ts");
      const { omega, jitter, rate, sigma, eps, frameSamples, silence, ring, lookahead, id = "rotor-1" } = options;
      const signal = { name: "rotor", omega, jitter, rateHz: rate, sigma };
      const plan = { id, signal, eps: { abs: eps }, frameSamples, silenceMs: silence, ringBytes: ring, lookahead };
      await runDevices(surroundings, [plan], options);
    });
}
