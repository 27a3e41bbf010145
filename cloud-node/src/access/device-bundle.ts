import { accessSync, constants, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mqttClientId } from "@lockstep/protocol";
import { AccessError } from "./access-error.ts";
import type { DeviceCredentials } from "./device-book.ts";

/** What goes into a bundle beside the secrets. */
export interface DeviceBundle extends DeviceCredentials {
  readonly group: string;
  /** Where the device connects: `mqtts://HOST:PORT`, `tcp://HOST:PORT`, …; null: it is not known yet. */
  readonly url: string | null;
  /** PEM file of the authority that signed the node's certificate. */
  readonly ca: string | undefined;
}

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** Names in a bundle's folder. */
export const BUNDLE_FILES = {
  facts: "device.json",
  header: "device-secrets.h",
  password: "password",
  macKey: "mac-key",
  ca: "ca.pem",
} as const;

/**
 * Make the folder of a bundle, before a device is added for it.
 *
 * @throws {AccessError} `bundle-exists`: nothing is ever written over
 */
export function openBundle(folder: string, ca: string | undefined): void {
  if (ca !== undefined) accessSync(ca, constants.R_OK);
  if (existsSync(folder)) {
    throw new AccessError(
      "bundle-exists",
      `${folder} is there already`,
      "give another folder: nothing is written over",
    );
  }
  mkdirSync(folder, { mode: OWNER_ONLY_FOLDER });
}

/**
 * Fill the folder that a device's firmware is built with, or that a host reads: who the device is, where it connects, and its
 * secrets, readable by their owner alone.
 *
 * @param folder  as `openBundle` left it
 * @returns the files
 */
export function writeDeviceBundle(folder: string, bundle: DeviceBundle): string[] {
  const { id, group, url, secret, macKey, ca } = bundle;
  const clientId = mqttClientId(group, id);
  const facts = { id, group, url, clientId, user: id, ca: ca === undefined ? null : BUNDLE_FILES.ca };
  const certificate = ca === undefined ? undefined : readFileSync(ca, "utf8");
  const texts: Record<string, string> = {
    [BUNDLE_FILES.facts]: `${JSON.stringify(facts, null, 2)}\n`,
    [BUNDLE_FILES.header]: header(bundle, certificate),
    [BUNDLE_FILES.password]: `${secret}\n`,
    ...(macKey === null ? {} : { [BUNDLE_FILES.macKey]: `${macKey}\n` }),
  };
  const files = Object.entries(texts).map(([name, text]) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: OWNER_ONLY, flag: "wx" });
    return file;
  });
  if (ca === undefined) return files;
  const file = join(folder, BUNDLE_FILES.ca);
  copyFileSync(ca, file);
  return [...files, file];
}

/** The same for firmware, whose strings and bytes are constants. */
function header({ id, group, url, secret, macKey }: DeviceBundle, ca: string | undefined): string {
  const { hostname = "", port = "", protocol = "" } = url === null ? {} : new URL(url);
  const isTls = /^(mqtts|tls):$/.test(protocol);
  const key = macKey === null ? [] : [...Buffer.from(macKey, "base64url")];
  const lines = [
    `/* Secrets of the device ${id}, from \`lockstep devices add\`: keep them out of version control. */`,
    "#ifndef LOCKSTEP_DEVICE_SECRETS_H",
    "#define LOCKSTEP_DEVICE_SECRETS_H",
    "",
    `#define LOCKSTEP_DEVICE ${quoted(id)}`,
    `#define LOCKSTEP_GROUP ${quoted(group)}`,
    ...(url === null ? [] : [`#define LOCKSTEP_HOST ${quoted(hostname)}`, `#define LOCKSTEP_PORT ${port || "0"}`]),
    ...(url === null ? [] : [`#define LOCKSTEP_TLS ${isTls ? 1 : 0}`]),
    `#define LOCKSTEP_MQTT_CLIENT_ID ${quoted(mqttClientId(group, id))}`,
    `#define LOCKSTEP_MQTT_USER ${quoted(id)}`,
    `#define LOCKSTEP_MQTT_PASSWORD ${quoted(secret)}`,
    ...(macKey === null ? [] : ["/* 32 bytes, for `static const uint8_t mac_key[] = LOCKSTEP_MAC_KEY;` */"]),
    ...(macKey === null ? [] : [`#define LOCKSTEP_MAC_KEY { ${key.map(hexByte).join(", ")} }`]),
    ...(ca === undefined
      ? []
      : [`#define LOCKSTEP_CA_PEM \\\n  ${ca.trim().split(/\r?\n/).map(pemLine).join(" \\\n  ")}`]),
    "",
    "#endif",
  ];
  return `${lines.join("\n")}\n`;
}

function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

function pemLine(line: string): string {
  return quoted(`${line}\n`);
}

/** As a C string; JSON's escapes of what stands here are C's too. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
