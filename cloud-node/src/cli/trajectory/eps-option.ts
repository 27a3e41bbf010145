import { type EpsRules, parseEpsRules } from "../../workloads/trajectory/eps-rules.ts";
import { TrajectoryError } from "../../workloads/trajectory/trajectory-error.ts";
import { CommandError } from "../command-error.ts";

/** Bounds as a person gives them. @throws {CommandError} `usage` */
export function rulesOption(text: string | undefined): EpsRules {
  if (text === undefined) return new Map();
  try {
    return parseEpsRules(text);
  } catch (error) {
    throw usageOfBounds(error);
  }
}

/** Bounds that do not fit the dump are wrong usage; every other error is what it is. */
export function usageOfBounds(error: unknown): unknown {
  if (!(error instanceof TrajectoryError) || error.code !== "bad-eps") return error;
  return new CommandError("usage", `--eps: ${error.problem}`, error.remedy, { cause: error });
}
