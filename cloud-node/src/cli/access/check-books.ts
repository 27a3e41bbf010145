import { AccessError } from "../../access/access-error.ts";
import { DeviceBook } from "../../access/device-book.ts";
import { refuseOpenDoor, refuseOpenPage } from "../../access/open-door.ts";
import { TokenBook } from "../../access/token-book.ts";

/** What is to listen, and where. */
export interface CheckedDoors {
  readonly store: string;
  readonly host: string;
  /** What devices come by over the network, in words; undefined: by nothing that listens here. */
  readonly deviceDoor: string | undefined;
  readonly hasPage: boolean;
}

/**
 * Look into the books of devices and of tokens before anything listens, and tell at once what each lacks.
 *
 * @throws {AccessError} `open-door`, with every line to type; as `DeviceBook`
 * @throws {TokenError} `bad-book`, `book-open`
 */
export async function checkBooks({ store, host, deviceDoor, hasPage }: CheckedDoors): Promise<void> {
  const isOpenToDevices = new DeviceBook(store).isOpen;
  const isOpenToAll = (await new TokenBook(store).read()) === undefined;
  const problems = [
    ...(deviceDoor !== undefined && isOpenToDevices ? refusal(() => refuseOpenDoor(deviceDoor, host, store)) : []),
    ...(hasPage && isOpenToAll ? refusal(() => refuseOpenPage(host, store)) : []),
  ];
  if (problems.length > 0) throw new AccessError("open-door", problems.join("; and "), "");
}

function refusal(refuse: () => void): string[] {
  try {
    refuse();
    return [];
  } catch (error) {
    if (error instanceof AccessError) return [error.message];
    throw error;
  }
}
