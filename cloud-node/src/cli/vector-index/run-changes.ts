import { formatCount, formatCounted, formatQuantity } from "../../api/number-text.ts";
import type { BuildProgress } from "../../workloads/vector-index/build-progress.ts";
import { addVectors, deleteVectors } from "../../workloads/vector-index/change-index.ts";
import { maintainIndex } from "../../workloads/vector-index/maintain-index.ts";
import { openVectors } from "../../workloads/vector-index/open-vectors.ts";
import { checkFiles } from "../partial-file.ts";
import type { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import type { VectorOptions } from "../vector-index.ts";
import { interruptible } from "./interruptible.ts";

const LEFT = "the index is as it was";

interface Printed {
  readonly json?: boolean;
}

/** `lockstep vector-index add`. */
export async function runAdd(
  surroundings: Surroundings,
  index: string,
  vectors: string,
  options: VectorOptions & Printed,
): Promise<void> {
  await checkFiles(index, undefined);
  const source = await openVectors(vectors, options);
  try {
    const { firstId, added } = await interruptible(surroundings, "vector-index add", LEFT, (progress, signal) =>
      addVectors(index, source, { signal, progress: tell(progress) }),
    );
    const line = `${index}: ${formatCounted(added, "vector")} added, ids from ${firstId} on`;
    await writeResult(surroundings, options.json, { index, added, firstId }, line);
  } finally {
    await source.close();
  }
}

/** `lockstep vector-index delete`. */
export async function runDelete(
  surroundings: Surroundings,
  index: string,
  ids: readonly number[],
  { json }: Printed,
): Promise<void> {
  await checkFiles(index, undefined);
  const { deleted } = await deleteVectors(index, Uint32Array.from(ids));
  const line = `${index}: ${formatCounted(deleted, "vector")} deleted; maintain gives their room back`;
  await writeResult(surroundings, json, { index, deleted }, line);
}

/** `lockstep vector-index maintain`. */
export async function runMaintain(surroundings: Surroundings, index: string, { json }: Printed): Promise<void> {
  await checkFiles(index, undefined);
  const report = await interruptible(surroundings, "vector-index maintain", LEFT, (progress, signal) =>
    maintainIndex(index, { signal, progress: tell(progress) }),
  );
  const { removed, emptied, merged, split, m, recoded, bytesBefore, bytesAfter } = report;
  const anchors = `${merged} anchors merged, ${emptied} empty ones dropped, ${split} added by splits: ${formatCount(m)}`;
  const rows = `${formatCount(removed)} deleted rows taken out, ${formatCount(recoded)} coded again`;
  const bytes = `${formatQuantity(bytesBefore, "B", "up")} to ${formatQuantity(bytesAfter, "B", "up")}`;
  await writeResult(surroundings, json, { index, ...report }, `${index}: ${anchors}; ${rows}; ${bytes}`);
}

function tell(progress: ProgressLine): (now: BuildProgress) => void {
  let current = "";
  return ({ stage, done, total }) => {
    if (stage !== current) progress.stage(stage);
    current = stage;
    progress.update(done, total);
  };
}
