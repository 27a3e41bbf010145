/** SentencePiece's mark of a space, in front of every text as well. */
const MARK = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
/** A tokenizer of two letters whose words begin with the mark. */
export const METASPACE = {
  version: "1.0",
  added_tokens: [
    { id: 0, content: "<s>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    { id: 6, content: "<unk>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ],
  ...{ normalizer: null, pre_tokenizer: MARK, post_processor: null, decoder: MARK },
  model: {
    ...{ type: "BPE", unk_token: "<unk>", fuse_unk: false, byte_fallback: false },
    vocab: { "<s>": 0, "▁": 1, a: 2, b: 3, "▁a": 4, "▁b": 5, "<unk>": 6 },
    merges: ["▁ a", "▁ b"],
  },
};
