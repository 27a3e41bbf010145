import { parseArgs } from "node:util";
import { type Form, STEPS } from "./steps.ts";

/** What the command line asked for. */
export interface ReproduceRequest {
  readonly form: Form;
  /** Names of steps; all of them where there are none. */
  readonly only: readonly string[];
  readonly data: string | undefined;
  /** Folder of pages, in place of the form's own. */
  readonly out: string | undefined;
  readonly isFresh: boolean;
  readonly asJson: boolean;
}

export const HELP = `Usage: npm run reproduce [-- options]

Every benchmark and every example of the documents, one after the other; what was measured beside what is written. A run
that was stopped goes on where it was, unless the code has changed. Hours; with --quick below half an hour on two cores.

  --quick      short forms; what has none is left out, and said so. Pages go to .lockstep/reproduce/quick/results
  --only NAME  this step alone, or several with commas; the summary goes to .lockstep/reproduce
  --data DIR   folder with telemetry/, lammps/, vectors/ and tinyshakespeare/input.txt (docs/BENCHMARKS.md says what they
               are); what needs them is not run without
  --out DIR    keep pages, plots and the summary there; docs/results if not given, and not --quick
  --fresh      begin anew
  --json       print one JSON object and nothing else, in place of the summary
  --help       this

Exit code 1: a figure that must be the same, or near, is not, a row is gone, or a step failed; times that are apart are
told and fail nothing. 2: wrong usage; 130: stopped.

Steps: ${STEPS.map(({ name }) => name).join(", ")}
Example: npm run -s reproduce -- --quick --only size,frames`;

/** @param args  the command line after the program */
export function readRequest(
  args: readonly string[],
): { readonly request: ReproduceRequest } | { readonly help: string } | { readonly refusal: string } {
  let values: { [name: string]: string | boolean | undefined };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean" },
        only: { type: "string" },
        data: { type: "string" },
        out: { type: "string" },
        fresh: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    // parseArgs throws TypeErrors alone for what it does not take
    if (!(error instanceof TypeError)) throw error;
    return { refusal: `reproduce: ${error.message.split(". ")[0]}; --help lists the options` };
  }
  if (values.help === true) return { help: HELP };
  const text = (name: string): string | undefined => (typeof values[name] === "string" ? values[name] : undefined);
  const only = text("only")?.split(",") ?? [];
  const unknown = only.find((name) => !STEPS.some((step) => step.name === name));
  if (unknown !== undefined) {
    return {
      refusal: `reproduce: there is no "${unknown}"; NAME is one of: ${STEPS.map(({ name }) => name).join(", ")}`,
    };
  }
  return {
    request: {
      form: values.quick === true ? "quick" : "full",
      ...{ only, data: text("data"), out: text("out") },
      ...{ isFresh: values.fresh === true, asJson: values.json === true },
    },
  };
}

/** The command line again, without the machine's own paths. */
export function tellRequest({ form, only, data }: ReproduceRequest): string {
  const options = [
    ...(form === "quick" ? ["--quick"] : []),
    ...(only.length === 0 ? [] : [`--only ${only.join()}`]),
    ...(data === undefined ? [] : ["--data DIR"]),
  ];
  return ["npm run reproduce", ...(options.length === 0 ? [] : ["--", ...options])].join(" ");
}
