import { FrameError } from "./errors.ts";
import { isIdentifier, MAX_ALIAS_LENGTH, MAX_NAME_LENGTH } from "./text-rules.ts";

/** What travels on a device's topic: births; frames, status and fragments; what the cloud says; presence; jobs. */
export type TopicLevel = "birth" | "frames" | "control" | "presence" | "jobs";

/** One topic of one device. */
export interface DeviceTopic {
  /** 1 … 64 of `[A-Za-z0-9_-]` */
  readonly group: string;
  /** 1 … 64 of `[A-Za-z0-9_-]`; equals the birth's `device`. */
  readonly device: string;
  readonly level: TopicLevel;
}

/** What a topic means: one of a device's own, or the short one that a welcome granted for its frames. */
export type ParsedTopic =
  | ({ readonly kind: "device" } & DeviceTopic)
  | { readonly kind: "alias"; readonly alias: string };

const LEVEL_LETTERS: Readonly<Record<TopicLevel, string>> = {
  birth: "b",
  frames: "f",
  control: "c",
  presence: "s",
  jobs: "j",
};
const LEVELS: readonly TopicLevel[] = ["birth", "frames", "control", "presence", "jobs"];
const PREFIX = "ls/v1";
const ALIAS_PREFIX = "l";

/** The filter that covers every short topic. */
export const ALIAS_FILTER = `${ALIAS_PREFIX}/+`;

/**
 * The MQTT topic `ls/v1/GROUP/DEVICE/LEVEL`.
 *
 * @throws {FrameError} `out-of-range` when group or device is not 1 … 64 of `[A-Za-z0-9_-]`
 * @see protocol/SPEC.md, section 5
 */
export function formatTopic({ group, device, level }: DeviceTopic): string {
  checkName(group, MAX_NAME_LENGTH, "group");
  checkName(device, MAX_NAME_LENGTH, "device");
  return `${PREFIX}/${group}/${device}/${LEVEL_LETTERS[level]}`;
}

/**
 * The MQTT filter for one level of every device of a group, or of every group.
 *
 * @throws {FrameError} `out-of-range` as {@link formatTopic}
 */
export function topicFilter(level: TopicLevel, group?: string): string {
  if (group !== undefined) {
    checkName(group, MAX_NAME_LENGTH, "group");
  }
  return `${PREFIX}/${group ?? "+"}/+/${LEVEL_LETTERS[level]}`;
}

/**
 * The short topic of at most eight bytes that a welcome's alias stands for.
 *
 * @throws {FrameError} `out-of-range` when the alias is not 1 … 6 of `[A-Za-z0-9_-]`
 */
export function aliasTopic(alias: string): string {
  checkName(alias, MAX_ALIAS_LENGTH, "alias");
  return `${ALIAS_PREFIX}/${alias}`;
}

/**
 * The name of a device's client at a broker: one for each device of a group. A broker that knows its devices lets each
 * connect by its own name alone, because a session ends when another client comes with its name.
 *
 * @throws {FrameError} `out-of-range` as {@link formatTopic}
 */
export function mqttClientId(group: string, device: string): string {
  checkName(group, MAX_NAME_LENGTH, "group");
  checkName(device, MAX_NAME_LENGTH, "device");
  return `ls-${group}-${device}`;
}

/** Mirrors {@link formatTopic} and {@link aliasTopic}. @returns undefined for a topic that is not one of these */
export function parseTopic(topic: string): ParsedTopic | undefined {
  const parts = topic.split("/");
  if (parts.length === 2) {
    const [prefix, alias = ""] = parts;
    return prefix === ALIAS_PREFIX && isName(alias, MAX_ALIAS_LENGTH) ? { kind: "alias", alias } : undefined;
  }
  const [product, version, group = "", device = "", letter = ""] = parts;
  const level = LEVELS.find((each) => LEVEL_LETTERS[each] === letter);
  if (parts.length !== 5 || `${product}/${version}` !== PREFIX || level === undefined) {
    return undefined;
  }
  if (!isName(group, MAX_NAME_LENGTH) || !isName(device, MAX_NAME_LENGTH)) {
    return undefined;
  }
  return { kind: "device", group, device, level };
}

function isName(name: string, maxLength: number): boolean {
  return name.length >= 1 && name.length <= maxLength && isIdentifier(name);
}

function checkName(name: string, maxLength: number, fieldName: string): void {
  if (!isName(name, maxLength)) {
    throw new FrameError("out-of-range", { offset: 0, field: fieldName, have: name.length, limit: maxLength });
  }
}
