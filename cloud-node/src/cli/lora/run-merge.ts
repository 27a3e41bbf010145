import { readAdapter } from "../../workloads/lora/adapter-file.ts";
import { mergeAdapter } from "../../workloads/lora/merge.ts";
import { loadModelFolder } from "../../workloads/lora/model-folder.ts";
import type { MergeCommandOptions } from "../lora.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";

/** `lockstep lora merge`. */
export async function runMerge(
  surroundings: Surroundings,
  modelFolder: string,
  adapterFolder: string,
  { out, json }: MergeCommandOptions,
): Promise<void> {
  const model = await loadModelFolder(modelFolder);
  try {
    await mergeAdapter(out, model, await readAdapter(adapterFolder, model.config));
  } finally {
    await model.close();
  }
  const line = `${out}: ${modelFolder} with ${adapterFolder} in its weights`;
  await writeResult(surroundings, json, { model: out, from: modelFolder, adapter: adapterFolder }, line);
}
