import { decodeFrame } from "@lockstep/protocol";
import { type BirthPlan, planBirth } from "../reconstructor/birth-plan.ts";
import type { ModuleRegistry } from "../reconstructor/module-registry.ts";
import type { PlanLookup } from "../reconstructor/twin.ts";
import type { StoreReader } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";

/**
 * Finds births in the store, and readies them for decoding with the module that they name.
 *
 * @param device  its key
 * @returns throws {StoreError} `unknown-model` for a birth whose module nobody registered
 */
export function storedPlans(file: string, reader: StoreReader, modules: ModuleRegistry, device: number): PlanLookup {
  const plans = new Map<string, BirthPlan>();
  return (hash) => {
    const known = plans.get(hash);
    if (known !== undefined) return known;
    const bytes = reader.birth(device, hash);
    const birth = bytes === undefined ? undefined : decodeFrame(bytes);
    const plan = birth?.kind === "birth" ? planBirth(birth, modules) : undefined;
    if (plan === "unknown-model" && birth?.kind === "birth") {
      throw new StoreError("unknown-model", { file, model: birth.model });
    }
    if (plan === undefined || typeof plan === "string") return undefined;
    plans.set(hash, plan);
    return plan;
  };
}
