/** How far the division of an epoch has come. */
export interface Settling {
  readonly device: string;
  readonly epoch: number;
  readonly frames: number;
}
