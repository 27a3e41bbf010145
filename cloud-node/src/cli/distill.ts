import { type Command, Option } from "commander";
import { STAGES } from "../workloads/distillation/stages.ts";
import { QUEUE_HELP } from "./jobs/open-door.ts";
import { parseSeed } from "./option-values.ts";
import type { Surroundings } from "./surroundings.ts";

/** What `distill run` takes. */
export interface RunDistillOptions {
  readonly quick?: boolean;
  readonly seed?: number;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly until?: (typeof STAGES)[number]["name"];
  readonly queue?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly json?: boolean;
}

/** What `distill verify` takes. */
export interface VerifyDistillOptions {
  readonly key?: string;
  readonly measure: boolean;
  readonly json?: boolean;
}

/** What `distill ask` takes. */
export interface AskDistillOptions {
  readonly key?: string;
  readonly json?: boolean;
}

/** What `distill pack` takes. */
export interface PackDistillOptions {
  readonly out: string;
  readonly sign?: string;
  readonly json?: boolean;
}

const RUN_HELP = `
DIR has distill.yaml and ModelName-Parameters-Category-BestFeature.csv; where
they are not there, they are written for teachers that the run makes itself.
Stopped at any moment, the same command goes on to the same bytes. Teachers are
deleted in stage 5, once you said yes.

Examples:
  $ lockstep distill run nexus --quick --yes
  $ lockstep distill run nexus --dry-run
  $ lockstep distill run nexus --queue sqlite:lockstep.db.jobs`;

const VERIFY_HELP = `
Of a run, all evidence is checked again, and the bundle is asked all benchmarks
again; of a bundle, its files against its manifest. With --key, its signature.

Examples:
  $ lockstep distill verify nexus
  $ lockstep distill verify student --key release.key.pub`;

const ASK_HELP = `
The bundle is checked first. Without QUESTIONS, each line of standard input that
is not blank is one; what cannot be read ends the command with its place. A
question that begins with - goes behind --. What teachers were asked is in
measured/CATEGORY/benchmark.jsonl of a run.

Examples:
  $ lockstep distill ask nexus "py for row of rows"
  $ lockstep distill ask student --json < questions.txt`;

/** `lockstep distill`: teachers distilled into one small student; also `nexus`. */
export function addDistill(program: Command, surroundings: Surroundings): void {
  const distill = program
    .command("distill")
    .summary("teachers distilled into one student: run, verify, ask, pack")
    .description("Distil several teachers into one small student, take them away, and prove what was kept.")
    .addHelpText("after", "\nExample:\n  $ lockstep distill run nexus --quick --yes && lockstep distill verify nexus");
  addRun(distill, surroundings);
  distill
    .command("status")
    .summary("how far each stage is")
    .description("Show the stages of a run, what they took, and what was kept.")
    .argument("<DIR>", "folder of a run")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep distill status nexus")
    .action(async (folder: string, options: { json?: boolean }) => {
      const { runStatusCommand } = await import("./distill/run-status.ts");
      await runStatusCommand(surroundings, folder, options);
    });
  distill
    .command("verify")
    .summary("check a run or a bundle again")
    .description("Check everything again that a run or a bundle claims.")
    .argument("<DIR>", "folder of a run, or of a bundle")
    .option("--key <FILE>", "public key that the bundle's signature must be of")
    .option("--no-measure", "do not ask the bundle its benchmarks again")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", VERIFY_HELP)
    .action(async (folder: string, options: VerifyDistillOptions) => {
      const { runVerify } = await import("./distill/run-verify.ts");
      await runVerify(surroundings, folder, options);
    });
  distill
    .command("ask")
    .summary("what a student answers")
    .description("Ask the student of a run, or of a bundle.")
    .argument("<DIR>", "folder of a run, or of a bundle")
    .argument("[QUESTIONS...]", "to be answered in their order")
    .option("--key <FILE>", "public key that the bundle's signature must be of")
    .option("--json", "one JSON object for each answer, a line each")
    .addHelpText("after", ASK_HELP)
    .action(async (folder: string, questions: string[], options: AskDistillOptions) => {
      const { runAsk } = await import("./distill/run-ask.ts");
      await runAsk(surroundings, folder, questions, options);
    });
  distill
    .command("pack")
    .summary("the bundle of a run, for others")
    .description("Copy the verified bundle of a run, and sign it.")
    .argument("<DIR>", "folder of a run")
    .requiredOption("--out <BUNDLE>", "folder that is made")
    .option("--sign <KEY>", "private key, as `lockstep keys new` makes it")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep distill pack nexus --out student --sign release.key")
    .action(async (folder: string, options: PackDistillOptions) => {
      const { runPack } = await import("./distill/run-pack.ts");
      await runPack(surroundings, folder, options);
    });
}

function addRun(distill: Command, surroundings: Surroundings): void {
  distill
    .command("run")
    .summary("everything, from teachers to bundle")
    .description("Run the stages of a distillation that are not done yet.")
    .argument("<DIR>", "folder of the run")
    .option("--quick", "of a folder that is begun: fewer and smaller teachers")
    .option("--seed <N>", "of a folder that is begun: what all chance comes from, 42 unless given", parseSeed)
    .option("--yes", "teachers may be deleted without asking")
    .option("--dry-run", "show what would be done, and do nothing")
    .addOption(new Option("--until <STAGE>", "end behind this stage").choices(STAGES.map(({ name }) => name)))
    .option("--queue <URL>", `hand every step in as a job: ${QUEUE_HELP}`)
    .option("--token-file <FILE>", "token for a node's page")
    .option("--ca <FILE>", "certificate authority of a node's page")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", RUN_HELP)
    .action(async (folder: string, options: RunDistillOptions) => {
      const { runDistill } = await import("./distill/run-distill.ts");
      await runDistill(surroundings, folder, options);
    });
}
