import { formatCount, formatCounted, formatNumber, formatQuantity } from "../../api/number-text.ts";
import { figureSvg } from "../../svg-figure.ts";
import { type IndexAccount, indexAccount } from "../../workloads/vector-index/index-account.ts";
import type { CodingError, IndexFacts } from "../../workloads/vector-index/index-facts.ts";
import { IndexFile } from "../../workloads/vector-index/index-file.ts";
import { type ListBalance, listBalance } from "../../workloads/vector-index/list-balance.ts";
import type { IndexModel } from "../../workloads/vector-index/model.ts";
import { checkFiles, replaceWhole } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { listFigure } from "./list-figure.ts";

/** `lockstep vector-index info`. */
export async function runInfo(
  surroundings: Surroundings,
  input: string,
  { plot, json }: { plot?: string; json?: boolean },
): Promise<void> {
  await checkFiles(input, plot);
  const index = await IndexFile.open(input);
  try {
    const { facts } = index;
    const { groups, seed } = await index.model();
    const sizes = await index.listSizes();
    const [account, balance] = [indexAccount(facts), listBalance(sizes)];
    const error = (await index.codingError()) ?? null;
    const { n, deleted, nextId, d, m, metric, codeBytes, rerank = null, segments, fileBytes } = facts;
    const result = {
      ...{ index: input, n, deleted, nextId, d, m, metric, codeBytes, rerank, seed, segments, fileBytes },
      ...{ ...account, bits: groups.map(({ bits, from, to }) => ({ bits, dimensions: to - from })) },
      ...{ balance, error },
    };
    if (plot !== undefined) await replaceWhole(plot, figureSvg(listFigure(input, sizes, balance)));
    await writeResult(surroundings, json, result, infoText(input, facts, account, balance, groups, error));
  } finally {
    await index.close();
  }
}

function infoText(
  input: string,
  { n, deleted, d, m, metric, segments, fileBytes, rerank }: IndexFacts,
  account: IndexAccount,
  balance: ListBalance,
  groups: IndexModel["groups"],
  error: CodingError | null,
): string {
  const percent = (bytes: number) => `${((100 * bytes) / fileBytes).toFixed(1)} %`;
  const width = Math.max(...account.parts.map(({ name }) => name.length));
  const gone = deleted === 0 ? "" : `, ${formatCount(deleted)} more are deleted`;
  const finer = rerank === undefined ? "" : `, ${account.rerankBytesPerVector} of its finer copy (${rerank})`;
  return [
    `${input}: ${formatQuantity(fileBytes, "B", "up")}`,
    `vectors  ${formatCount(n)} x ${d}, ${metric}, in ${formatCounted(segments.length, "segment")}${gone}`,
    `each     ${account.bytesPerVector} bytes of code and side data, ${account.idBytesPerVector} of its id${finer}`,
    `once     ${formatQuantity(account.indexBytes, "B", "up")}`,
    ...(account.wasteBytes > 0
      ? [`waste    ${formatQuantity(account.wasteBytes, "B", "up")}: maintain gets rid of it`]
      : []),
    `bits     ${groups.map(({ bits, from, to }) => `${to - from} dimensions at ${bits}`).join(", ")}`,
    `lists    ${formatCount(m)} of ${formatNumber(balance.mean)} vectors, median ${balance.median}, largest ${formatCount(balance.largest)}, ${balance.empty} empty, unevenness ${balance.unevenness.toFixed(2)}`,
    ...(error === null
      ? []
      : [
          `error    rms ${formatNumber(error.rms, "up")}, worst ${formatNumber(error.worst, "up")}, ${(100 * error.relative).toFixed(2)} % of the variance`,
        ]),
    "",
    ...account.parts.map(
      ({ name, bytes }) =>
        `${name.padEnd(width)}  ${formatQuantity(bytes, "B", "up").padStart(8)}  ${percent(bytes).padStart(7)}`,
    ),
  ].join("\n");
}
