/** Node's flag: MB of each half of the young heap. */
export const YOUNG_HEAP_FLAG: string;

/** Go on as the same process under the flag, where the command lasts and does not have it; else return. */
export function continueWithYoungHeap(scriptUrl: string): void;
