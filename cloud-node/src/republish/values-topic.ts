import { RepublishError } from "./republish-error.ts";

/** Topics by which devices and nodes speak, and those of another specification. */
const RESERVED = /^(ls\/|l\/|\$|spBv1\.0\/)/;
/** MQTT allows more, and no consumer wants it. */
const MOST_CHARS = 512;

/** The longest name of a device, and those that make a reserved topic of what begins with them. */
const DEVICES = ["d".repeat(64), "ls", "l"];

/**
 * Whether plain JSON may go to a topic, whatever its device is called.
 *
 * @param group  of the node
 * @throws {RepublishError} `bad-topic`
 */
export function checkValuesTopic(topic: string, group: string): void {
  const remedy = "write one such as lockstep/{group}/{device}";
  if (!topic.includes("{device}")) throw new RepublishError("bad-topic", `topic "${topic}" has no {device}`, remedy);
  const isBad = DEVICES.some((device) => {
    const at = valuesTopic(topic, group, device);
    return at.length > MOST_CHARS || /[+#\0]/.test(at) || at.startsWith("/") || RESERVED.test(at);
  });
  if (isBad) throw new RepublishError("bad-topic", `"${topic}" is no topic for values`, remedy);
}

/** Where the values of a device go. */
export function valuesTopic(topic: string, group: string, device: string): string {
  return topic.replaceAll("{device}", device).replaceAll("{group}", group);
}
