import type { LinkExports } from "./link-exports.ts";

/** Offsets of the fields in the block that `linkView()` gives, table in `assembly/link-view.ts`; u32 but for the first. */
export const LINK_VIEW_FIELDS = {
  evictedSamples: 0, // u64
  message: 8,
  topic: 12,
  state: 16,
  epoch: 20,
  nextSeq: 24,
  oldestSeq: 28,
  unconfirmedFrames: 32,
  pendingSamples: 36,
  ringUsed: 40,
  refusal: 44,
  dirtyFrom: 48,
  dirtyTo: 52,
  headerDirty: 56,
  aliasLength: 60,
  /** The alias itself, 8 bytes. */
  alias: 64,
  rest: 72,
  restBytes: 76,
} as const;

const VIEW_BYTES = 80;

/** How a link stands; each field as in the table, the alias as text. */
export type LinkView = Readonly<Record<Exclude<keyof typeof LINK_VIEW_FIELDS, "alias" | "aliasLength">, number>> & {
  readonly alias: string;
};

/** Look at how the link stands now. */
export function readLinkView(core: Pick<LinkExports, "memory" | "linkView">): LinkView {
  const at = core.linkView();
  const block = new DataView(core.memory.buffer, at, VIEW_BYTES);
  const u32 = (offset: number) => block.getUint32(offset, true);
  const { alias, aliasLength } = LINK_VIEW_FIELDS;
  return {
    evictedSamples: Number(block.getBigUint64(LINK_VIEW_FIELDS.evictedSamples, true)),
    message: u32(LINK_VIEW_FIELDS.message),
    topic: u32(LINK_VIEW_FIELDS.topic),
    state: u32(LINK_VIEW_FIELDS.state),
    epoch: u32(LINK_VIEW_FIELDS.epoch),
    nextSeq: u32(LINK_VIEW_FIELDS.nextSeq),
    oldestSeq: u32(LINK_VIEW_FIELDS.oldestSeq),
    unconfirmedFrames: u32(LINK_VIEW_FIELDS.unconfirmedFrames),
    pendingSamples: u32(LINK_VIEW_FIELDS.pendingSamples),
    ringUsed: u32(LINK_VIEW_FIELDS.ringUsed),
    refusal: u32(LINK_VIEW_FIELDS.refusal),
    dirtyFrom: u32(LINK_VIEW_FIELDS.dirtyFrom),
    dirtyTo: u32(LINK_VIEW_FIELDS.dirtyTo),
    headerDirty: u32(LINK_VIEW_FIELDS.headerDirty),
    rest: u32(LINK_VIEW_FIELDS.rest),
    restBytes: u32(LINK_VIEW_FIELDS.restBytes),
    alias: new TextDecoder().decode(new Uint8Array(core.memory.buffer, at + alias, u32(aliasLength))),
  };
}
