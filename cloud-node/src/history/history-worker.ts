/** The thread that reads history: it answers questions in order, and rows block by block, so that no answer is long. */
import { parentPort, workerData } from "node:worker_threads";
import { InvariantError } from "../invariant-error.ts";
import { type History, openHistory } from "./history.ts";
import { packFailure } from "./history-failure.ts";
import type { HistoryAnswers, HistoryOrder, HistoryQuestion, HistoryRead, HistoryReply } from "./history-messages.ts";

const port = parentPort;
if (port === null) throw new InvariantError("the history worker must run in a worker thread");
const { file }: { readonly file: string } = workerData;
const reads = new Map<number, ReturnType<History["rows"]>>();
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
    return { id, failure: packFailure(error) };
  }
}

function answerTo(opened: History, id: number, question: HistoryQuestion): HistoryAnswers[HistoryQuestion["kind"]] {
  switch (question.kind) {
    case "rows":
      // Its question's number, which no read of a thread before this one had.
      reads.set(id, opened.rows(...question.args));
      return id;
    case "next":
      return next(question.read);
    case "end":
      reads.delete(question.read);
      return undefined;
    default:
      // The arguments of a question are those of the read that it names.
      return (opened[question.kind] as (...args: unknown[]) => HistoryAnswers[HistoryRead])(...question.args);
  }
}

function next(read: number): HistoryAnswers["next"] {
  const step = reads.get(read)?.next();
  if (step === undefined) throw new InvariantError(`history: no read ${read}`);
  if (!step.done) return { block: step.value };
  reads.delete(read);
  return { damage: step.value };
}
