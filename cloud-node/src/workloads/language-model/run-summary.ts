import type { BackendName, RunProgress } from "./checkpoint.ts";
import type { RunConfig } from "./run-config.ts";
import type { Part } from "./run-data.ts";

/** What a run was, in one object. */
export interface RunSummary {
  readonly config: RunConfig;
  readonly backend: BackendName;
  readonly parameters: number;
  readonly vocabulary: number;
  readonly text: { readonly name: string; readonly sha256: string; readonly tokens: Readonly<Record<Part, number>> };
  readonly steps: number;
  /** Whether it was stopped before its last step. */
  readonly isStopped: boolean;
  /** Learned from. */
  readonly tokens: number;
  /** Of training, without evaluations. */
  readonly seconds: number;
  readonly tokensPerSecond: number;
  /** At the last evaluation; null where there was none. */
  readonly final: {
    readonly step: number;
    readonly trainLoss: number;
    readonly valLoss: number;
    readonly valBitsPerByte: number;
  } | null;
  /** Where it foresaw best what it had not learned from. */
  readonly best: RunProgress["best"];
  readonly memoryBytes: number;
  /** Since the second evaluation. */
  readonly memoryGrowthBytes: number;
}

/** A summary for a person, in Markdown. */
export function summaryText(summary: RunSummary): string {
  const { config, backend, parameters, vocabulary, text, steps, tokens, seconds, tokensPerSecond } = summary;
  const { final, best, memoryBytes, memoryGrowthBytes, isStopped } = summary;
  const { model, data } = config;
  const shape =
    model.kind === "bigram"
      ? `bigram, ${vocabulary} tokens`
      : `GPT, ${model.layers} layers, ${model.heads} heads, ${model.width} wide, context ${model.context}, ${vocabulary} tokens`;
  const rows: [string, string][] = [
    ["model", `${shape}, ${parameters} parameters`],
    ["engine", backend],
    ["text", `${text.name}, ${text.tokens.train} tokens to learn from, ${text.tokens.val} to be judged by`],
    ["text SHA-256", text.sha256],
    [
      "steps",
      `${steps} of ${config.steps}${isStopped ? ", stopped" : ""}, ${data.rows} rows each, seed ${config.seed}`,
    ],
    ["tokens learned from", `${tokens} in ${seconds.toFixed(1)} s, ${Math.round(tokensPerSecond)} a second`],
    ["memory", `${megabytes(memoryBytes)}, ${megabytes(memoryGrowthBytes)} more than at the second evaluation`],
  ];
  if (final !== null) {
    rows.push(["loss, learned from", `${final.trainLoss.toFixed(4)} nats`]);
    rows.push([
      "loss, not seen before",
      `${final.valLoss.toFixed(4)} nats, ${final.valBitsPerByte.toFixed(4)} bits per byte`,
    ]);
  }
  if (best !== null) rows.push(["best", `${best.loss.toFixed(4)} nats after step ${best.step}`]);
  const table = rows.map(([name, value]) => `| ${name} | ${value.replaceAll("|", "\\|")} |`);
  return [`# A run of \`lockstep lm train\``, "", "| | |", "|---|---|", ...table, "", "![loss](loss.svg)", ""].join(
    "\n",
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
