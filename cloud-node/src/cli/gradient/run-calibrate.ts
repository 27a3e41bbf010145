import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import { formatCount } from "../../api/number-text.ts";
import { calibrate } from "../../workloads/gradient/calibration.ts";
import { GradientError } from "../../workloads/gradient/gradient-error.ts";
import type { TensorVariance } from "../../workloads/gradient/gradient-survey.ts";
import { maskText } from "../../workloads/gradient/mask-file.ts";
import { TENSOR_ROLES, TopologyMask } from "../../workloads/gradient/topology-mask.ts";
import { variancePlot } from "../../workloads/gradient/variance-plot.ts";
import { CommandError } from "../command-error.ts";
import type { CalibrateOptions } from "../gradient.ts";
import { readRunConfig, readText, readTokenizer } from "../lm/read-run-options.ts";
import { checkFiles, replaceWhole } from "../partial-file.ts";
import { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";

/** `lockstep gradient calibrate`. */
export async function runCalibrate(
  surroundings: Surroundings,
  textName: string,
  options: CalibrateOptions,
): Promise<void> {
  const { clock } = surroundings;
  const { out, workers, share, threshold, staleness, json } = options;
  const plot = `${out.replace(/\.json$/, "")}.svg`;
  if (out.endsWith(".svg"))
    throw new CommandError("usage", `--out ${out} is a name for the plot`, "name it like mask.json");
  await checkFiles(textName, out);
  const begunMs = clock.nowMs();
  const variances = await measure(surroundings, textName, options);
  const seconds = (clock.nowMs() - begunMs) / 1000;
  const mask =
    threshold === undefined
      ? TopologyMask.ofShare(variances, share, staleness)
      : new TopologyMask(variances, { threshold, staleness });
  await replaceWhole(out, maskText(mask));
  await replaceWhole(plot, variancePlot(mask, `Gradients of ${basename(textName)}, by layer`));
  const roles = TENSOR_ROLES.map(
    (role) => [role, mask.tensors.filter((tensor) => tensor.role === role).length] as const,
  );
  const { compressionFactor } = mask;
  const facts = { threshold: Number.isFinite(mask.options.threshold) ? mask.options.threshold : null, staleness };
  const counts = Object.fromEntries(roles.map(([role, count]) => [`${role}s`, count]));
  const counted = roles.map(([role, count]) => `${formatCount(count)} ${role}${count === 1 ? "" : "s"}`).join(", ");
  const lines = [
    `${out}: ${counted.replace(/guardeds?$/, "guarded")}; a round has ${(100 / compressionFactor).toFixed(1)} % of the numbers`,
    `  ${plot}: variance by layer; ${seconds.toFixed(1)} s`,
    `  lockstep gradient train ${textName} --out run --workers ${workers} --compress sync-50 --mask ${out}`,
  ];
  await writeResult(
    surroundings,
    json,
    { mask: out, plot, seconds, ...counts, ...facts, compressionFactor },
    lines.join("\n"),
  );
}

async function measure(
  { stderr, clock, interrupt }: Surroundings,
  textName: string,
  options: CalibrateOptions,
): Promise<TensorVariance[]> {
  const { workers, calibrationSteps: steps } = options;
  const line = new ProgressLine(stderr, clock, "calibrate", "steps/s");
  try {
    const config = await readRunConfig(options);
    const { text } = await readText(textName);
    const tokenizer = await readTokenizer(options.tokenizer);
    const onStep = async (done: number) => {
      line.update(done, steps);
      // Whoever wants to stop this is heard.
      await setImmediate();
      return !interrupt.aborted;
    };
    const variances = await calibrate({ config, text, tokenizer, workers, steps, onStep });
    if (variances !== undefined) return variances;
    throw new CommandError("interrupted", `stopped at ${line.place}`, "nothing was written");
  } catch (error) {
    if (!(error instanceof GradientError) || error.code !== "bad-option") throw error;
    throw new CommandError("usage", error.problem, error.remedy, { cause: error });
  } finally {
    line.clear();
  }
}
