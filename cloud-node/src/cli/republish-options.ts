import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { RepublishFormat } from "../republish/publisher.ts";
import type { Republisher, RepublisherOptions } from "../republish/republisher.ts";
import { readBrokerAddress } from "./broker-address.ts";
import { CommandError } from "./command-error.ts";
import { parseNonNegative } from "./option-values.ts";

/** What `lockstep serve` was told of re-publishing. */
export interface RepublishChoice {
  readonly republish?: readonly RepublishFormat[];
  readonly republishTo?: string;
  readonly republishTopic: string;
  readonly republishEvery: number;
  readonly republishSamples: "newest" | "all";
  readonly republishExtrapolated?: boolean;
  readonly republishPasswordFile?: string;
  readonly republishCa?: string;
  readonly republishRequired?: boolean;
  readonly sparkplugGroup?: string;
  readonly sparkplugNode: string;
  readonly sparkplugHost?: string;
  readonly group: string;
}

const FORMATS: readonly RepublishFormat[] = ["json", "sparkplug"];
const DEFAULT_EVERY_MS = 1_000;
const BROKER_OPTIONS = { url: "--republish-to", passwordFile: "--republish-password-file" };

/** Options of `lockstep serve` by which reconstructed values flow on to others. */
export function addRepublishOptions(command: Command): Command {
  return command
    .option(
      "--republish <json|sparkplug[,…]>",
      "tell others what is confirmed, as plain JSON or Sparkplug B",
      parseFormats,
    )
    .option("--republish-to <URL>", "by which broker: mqtts://USER@HOST:PORT, or mqtt:// (default: the node's own)")
    .option("--republish-password-file <FILE>", "file whose first line is the password")
    .option("--republish-ca <FILE>", "PEM file: whom to trust for mqtts:// instead of the system's authorities")
    .option("--republish-topic <TOPIC>", "topic of plain JSON; has {device}, may have {group}", DEFAULT_TOPIC)
    .option(
      "--republish-every <MS>",
      "a message of a device so often; 0: after every commit",
      parseNonNegative,
      DEFAULT_EVERY_MS,
    )
    .addOption(
      new Option("--republish-samples <WHICH>", "all of them, or the newest one each time")
        .choices(["newest", "all"])
        .default("newest"),
    )
    .option("--republish-extrapolated", "tell too what a twin expects now; marked, and without a bound")
    .option("--republish-required", "not ready (/readyz) while nothing can be re-published")
    .option("--sparkplug-group <NAME>", "Sparkplug's group (default: that of --group)")
    .option("--sparkplug-node <NAME>", "Sparkplug's edge node, one for each node of a group", "lockstep")
    .option("--sparkplug-host <ID>", "primary host application: without it nothing is said");
}

const DEFAULT_TOPIC = "lockstep/{group}/{device}";

/** What is to be re-published, as far as it can be known before there is a node. */
export type RepublishPlan = Omit<RepublisherOptions, "node" | "clock" | "logger">;

/**
 * What was asked for, with what is in files read.
 *
 * @returns undefined where nothing is to be re-published
 * @throws {CommandError} `usage`, `file`
 */
export async function planRepublish(choice: RepublishChoice): Promise<RepublishPlan | undefined> {
  const { republish: formats, republishTopic: topic, group } = choice;
  if (formats === undefined) {
    if (choice.republishTo === undefined && choice.republishRequired !== true) return undefined;
    throw new CommandError(
      "usage",
      "it is not said what to re-publish",
      "add --republish json, or --republish sparkplug",
    );
  }
  const { checkValuesTopic } = await import("../republish/values-topic.ts");
  const { checkSparkplugName } = await import("../republish/sparkplug/sparkplug-topics.ts");
  const sparkplug = { group: choice.sparkplugGroup ?? group, node: choice.sparkplugNode, host: choice.sparkplugHost };
  await asUsage(() => {
    checkValuesTopic(topic, group);
    checkSparkplugName(sparkplug.group, "group");
    checkSparkplugName(sparkplug.node, "edge node");
    if (sparkplug.host !== undefined) checkSparkplugName(sparkplug.host, "host application");
  });
  return {
    formats,
    broker: await readBrokerAddress(BROKER_OPTIONS, {
      url: choice.republishTo,
      passwordFile: choice.republishPasswordFile,
      ca: choice.republishCa,
    }),
    group,
    topic,
    sparkplug,
    everyMs: choice.republishEvery,
    samples: choice.republishSamples,
    extrapolated: choice.republishExtrapolated === true,
    isRequired: choice.republishRequired === true,
  };
}

/** Begin to re-publish. @throws {CommandError} `usage` where the node has no broker and none was named */
export async function openRepublisher(
  plan: RepublishPlan,
  around: Pick<RepublisherOptions, "node" | "clock" | "logger">,
): Promise<Republisher> {
  const { Republisher } = await import("../republish/republisher.ts");
  return await asUsage(() => Republisher.open({ ...plan, ...around }));
}

/** What was asked for in vain is a matter of usage. */
async function asUsage<T>(run: () => T): Promise<T> {
  const { RepublishError } = await import("../republish/republish-error.ts");
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof RepublishError)) throw cause;
    throw new CommandError("usage", cause.message, cause.remedy, { cause });
  }
}

function parseFormats(text: string): RepublishFormat[] {
  const names = text.split(",").map((name) => name.trim());
  const formats = FORMATS.filter((format) => names.includes(format));
  if (formats.length !== names.length) throw new InvalidArgumentError("write json, sparkplug, or json,sparkplug");
  return formats;
}
