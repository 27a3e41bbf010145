import { CodecError } from "@lockstep/edge-sdk/core";
import type { ContainerHeader } from "./container-format.ts";
import { planContainer } from "./container-plan.ts";
import type { EpsSpec } from "./eps-spec.ts";
import type { RowSource } from "./row-source.ts";
import type { Survey } from "./survey.ts";

/**
 * Work on a surveyed recording as it would be stored: with channels on the lattices that their readings seem to lie on,
 * and again without should a reading lie beside.
 *
 * @param work  reads the source from its start; thrown away with what it threw where that is `off-lattice`
 * @throws {TelemetryError} as `planContainer`
 */
export async function latticeFirst<T>(
  source: RowSource,
  survey: Survey,
  { eps, model }: { readonly eps: EpsSpec; readonly model: string },
  work: (header: ContainerHeader) => Promise<T>,
): Promise<T> {
  try {
    return await work(planContainer(source, survey, eps, model, true));
  } catch (error) {
    if (!(error instanceof CodecError) || error.code !== "off-lattice") throw error;
    return await work(planContainer(source, survey, eps, model, false));
  }
}
