import type { RowBuffer } from "./row-buffer.ts";

/** Who a device is to this node. */
export interface DeviceIdentity {
  readonly id: string;
  readonly key: number;
  readonly alias: string;
  /** Shared scratch for decoded rows. */
  readonly rows: RowBuffer;
}
