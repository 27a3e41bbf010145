import { RepublishError } from "./republish-error.ts";

/** Topics by which devices and nodes speak, and those of another specification. */
const RESERVED = /^(ls\/|l\/|\$|spBv1\.0\/)/;
/** MQTT allows more, and no consumer wants it. */
const MOST_CHARS = 512;

/** Whether plain JSON may go to a topic. @throws {RepublishError} `bad-topic` */
export function checkValuesTopic(topic: string): void {
  const remedy = "write one such as lockstep/{group}/{device}";
  if (!topic.includes("{device}")) throw new RepublishError("bad-topic", `topic "${topic}" has no {device}`, remedy);
  const isBad = topic.length > MOST_CHARS || /[+#\0]/.test(topic) || topic.startsWith("/") || RESERVED.test(topic);
  if (isBad) throw new RepublishError("bad-topic", `"${topic}" is no topic for values`, remedy);
}
