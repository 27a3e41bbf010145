/** The thread that reads history: it answers questions in order, and rows block by block, so that no answer is long. */
import { parentPort, workerData } from "node:worker_threads";
import { InvariantError } from "../invariant-error.ts";
import { StoreError } from "../store/store-error.ts";
import { type History, openHistory } from "./history.ts";
import { HistoryError } from "./history-error.ts";
import type {
  HistoryAnswers,
  HistoryFailure,
  HistoryOrder,
  HistoryQuestion,
  HistoryReply,
} from "./history-messages.ts";
import type { RowBlock } from "./row-blocks.ts";
import type { Run } from "./run.ts";

const port = parentPort;
if (port === null) throw new InvariantError("the history worker must run in a worker thread");
const { file }: { readonly file: string } = workerData;
const reads = new Map<number, Generator<RowBlock, readonly Run[]>>();
let history: History | undefined;
let last: Promise<void> = Promise.resolve();

port.on("message", (order: HistoryOrder) => {
  last = last.then(() => reply(order));
});

async function reply({ id, question }: HistoryOrder): Promise<void> {
  port?.postMessage(await replyTo(id, question));
}

async function replyTo(id: number, question: HistoryQuestion): Promise<HistoryReply> {
  try {
    history ??= await openHistory(file);
    return { id, answer: answerTo(history, id, question) };
  } catch (error) {
    return { id, failure: failureOf(error) };
  }
}

function answerTo(opened: History, id: number, question: HistoryQuestion): HistoryAnswers[HistoryQuestion["kind"]] {
  switch (question.kind) {
    case "span":
      return opened.span(question.device);
    case "epochs":
      return opened.epochs(question.device);
    case "gapsAfter":
      return opened.gapsAfter(question.device, question.after, question.most);
    case "traffic":
      return opened.traffic(question.device, question.from, question.to);
    case "birth":
      return opened.birth(question.device, question.epoch);
    case "runs":
      return opened.runs(question.device, question.range);
    case "nearest":
      return opened.nearest(question.device, question.range);
    case "buckets":
      return opened.buckets(question.device, question.range, question.maxBuckets, question.channels);
    case "rows":
      // Its question's number, which no read of a thread before this one had.
      reads.set(id, opened.rows(question.device, question.range));
      return id;
    case "next":
      return next(question.read);
    case "end":
      reads.delete(question.read);
      return undefined;
  }
}

function next(read: number): HistoryAnswers["next"] {
  const step = reads.get(read)?.next();
  if (step === undefined) throw new InvariantError(`history: no read ${read}`);
  if (!step.done) return { block: step.value };
  reads.delete(read);
  return { damage: step.value };
}

function failureOf(error: unknown): HistoryFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof StoreError) return { from: "store", code: error.code, facts: error.facts, message };
  if (error instanceof HistoryError) return { from: "history", code: error.code, facts: error.facts, message };
  return { from: "other", code: "", facts: {}, message };
}
