import type { Command } from "commander";
import { addSimFleet } from "./sim/fleet.ts";
import { addSimRecorded } from "./sim/recorded.ts";
import { addSimRotor } from "./sim/rotor.ts";
import { addSimRun } from "./sim/run.ts";
import type { Surroundings } from "./surroundings.ts";

/** `lockstep sim …`: devices that are not there, over transports that are. */
export function addSim(program: Command, surroundings: Surroundings): void {
  const sim = program
    .command("sim")
    .summary("simulated devices over a real transport, and scenarios")
    .description("Simulated devices over a real transport, and scenarios with faults.")
    .addHelpText("after", "\nExample:\n  $ lockstep sim rotor --to mqtt://localhost:1883 --duration 60");
  for (const add of [addSimRotor, addSimRecorded, addSimFleet, addSimRun]) add(sim, surroundings);
}
