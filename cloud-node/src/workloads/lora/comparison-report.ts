import type { Comparison, Difference } from "./compare-results.ts";
import type { EvaluationResult } from "./result-file.ts";

/** Wrong answers that a report shows. */
const SHOWN = 10;

/** Two evaluations of the same prompts side by side, in Markdown. */
export function comparisonReport(before: EvaluationResult, after: EvaluationResult, comparison: Comparison): string {
  const { overall, byCategory } = comparison;
  const rows = [...Object.entries(byCategory), ["all", overall] as const];
  return [
    `# ${before.label} and ${after.label}`,
    "",
    `Exact answers to ${before.evaluation.overall.count} prompts of ${overall.patterns} patterns: ${points(overall.before)} %`,
    `before, ${points(overall.after)} % after. The gain is ${signed(overall.gain)} points, ${interval(overall)} with 95 % (bootstrap over`,
    `patterns): it ${overall.isSignificant ? "is" : "may not be"} different from none. The prompts are wordings that training never had, of patterns`,
    "that it had.",
    "",
    `| category | patterns | ${bare(before.label)} | ${bare(after.label)} | gain, points | 95 % |`,
    "|---|---|---|---|---|---|",
    ...rows.map(
      ([name, one]) =>
        `| ${bare(name)} | ${one.patterns} | ${points(one.before)} % | ${points(one.after)} % | ${signed(one.gain)} | ${interval(one)} |`,
    ),
    "",
    "| | begins with the answer | same answer every time | median latency | 95 % under | tokens/s |",
    "|---|---|---|---|---|---|",
    ...[before, after].map(speedRow),
    "",
    ...wrongRows(after),
  ].join("\n");
}

function speedRow({ label, evaluation }: EvaluationResult): string {
  const { overall, consistency, latency, tokensPerSecond } = evaluation;
  const same =
    consistency === null
      ? "not asked"
      : `${points(consistency.sameAnswer)} % of prompts asked ${consistency.repeats} times`;
  const ms = (seconds: number) => `${(1000 * seconds).toFixed(0)} ms`;
  return `| ${bare(label)} | ${points(overall.prefix)} % | ${same} | ${ms(latency.median)} | ${ms(latency.p95)} | ${tokensPerSecond.toFixed(0)} |`;
}

function wrongRows({ label, evaluation }: EvaluationResult): string[] {
  const wrong = evaluation.answers.filter(({ isExact }) => !isExact);
  if (wrong.length === 0) return [];
  const cell = (text: string) => `\`${bare(text.replaceAll("\n", "⏎")).replaceAll("`", "'")}\``;
  return [
    `## What ${label} gets wrong`,
    "",
    `${wrong.length} of ${evaluation.answers.length}${wrong.length > SHOWN ? `, the first ${SHOWN} of them` : ""}:`,
    "",
    "| prompt | answer | what came |",
    "|---|---|---|",
    ...wrong.slice(0, SHOWN).map(({ prompt, answer, text }) => `| ${cell(prompt)} | ${cell(answer)} | ${cell(text)} |`),
    "",
  ];
}

/** Without what would end a cell of a table. */
function bare(text: string): string {
  return text.replaceAll("|", "¦");
}

function points(share: number): string {
  return (100 * share).toFixed(1);
}

function signed(share: number): string {
  return `${share < 0 ? "−" : "+"}${points(Math.abs(share))}`;
}

function interval({ low, high }: Difference): string {
  return `${signed(low)} to ${signed(high)}`;
}
