import type { Command } from "commander";
import { addDecode } from "./decode.ts";
import { addDemo } from "./demo.ts";
import { addDevices } from "./devices.ts";
import { addDistill } from "./distill.ts";
import { addDoctor } from "./doctor.ts";
import { addEncode } from "./encode.ts";
import { addExplain } from "./explain.ts";
import { addExport } from "./export.ts";
import { addFlash } from "./flash.ts";
import { addGradient } from "./gradient.ts";
import { addJobs } from "./jobs.ts";
import { addKeys } from "./keys.ts";
import { addLm } from "./lm.ts";
import { addLora } from "./lora.ts";
import { addServe } from "./serve.ts";
import { addSim } from "./sim.ts";
import type { Surroundings } from "./surroundings.ts";
import { addTokens } from "./tokens.ts";
import { addTrajectory } from "./trajectory.ts";
import { addVectorIndex } from "./vector-index.ts";
import { addWorker } from "./worker.ts";

/** Adds one subcommand to the program; its work is imported only when it runs. */
type AddSubcommand = (program: Command, surroundings: Surroundings) => void;

/** Every subcommand, in the order in which the help names them. */
export const SUBCOMMANDS: readonly AddSubcommand[] = [
  addDemo,
  addServe,
  addSim,
  addEncode,
  addDecode,
  addExplain,
  addExport,
  addTrajectory,
  addLm,
  addLora,
  addGradient,
  addDistill,
  addVectorIndex,
  addFlash,
  addJobs,
  addWorker,
  addDevices,
  addTokens,
  addKeys,
  addDoctor,
];
