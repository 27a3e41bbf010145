import { AccessError } from "./access-error.ts";
import { isLoopback } from "./loopback-address.ts";

/**
 * Refuse to listen where others than this machine reach, while everybody may speak.
 *
 * @param what  what would listen
 * @throws {AccessError} `open-door`, with the line that adds a device
 */
export function refuseOpenDoor(what: string, host: string, storeFile: string): void {
  if (isLoopback(host)) return;
  const problem = `${what} on ${host} would let everybody speak, because no device was added yet`;
  const remedy = `add the first one, \`lockstep devices add NAME --store ${storeFile}\`, or listen on 127.0.0.1`;
  throw new AccessError("open-door", problem, remedy);
}

/**
 * Refuse to show the page where others than this machine reach, while everybody may ask: no token was ever made.
 *
 * @throws {AccessError} `open-door`, with the line that makes a token
 */
export function refuseOpenPage(host: string, storeFile: string): void {
  if (isLoopback(host)) return;
  const problem = `everybody who reaches ${host} could read and update all devices: no token was ever made`;
  const remedy = `make one, \`lockstep tokens add me --role read --store ${storeFile}\`, or leave --host out`;
  throw new AccessError("open-door", problem, remedy);
}
