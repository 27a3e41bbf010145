/** Begins a question. */
const BEGINNING = "<|bos|>";
/** Between a question and its answer. */
const ANSWER = "<|answer|>";
/** Ends an answer. */
const END = "<|end|>";
const UNKNOWN = "<|unknown|>";
const SPECIAL = [BEGINNING, ANSWER, END, UNKNOWN];

/** Levels that a sample of a signal can have, each a token of its own. */
export const SIGNAL_LEVELS = 64;
/** The first of the Braille patterns with six dots: one printable character for each level. */
const FIRST_LEVEL = 0x2800;

/** The character that stands for a level, 0 … SIGNAL_LEVELS − 1. */
export function levelCharacter(level: number): string {
  return String.fromCharCode(FIRST_LEVEL + level);
}

const PRINTABLE = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at));
/** Characters that are tokens. */
export const CHARACTERS: readonly string[] = [
  ...PRINTABLE,
  ...Array.from({ length: SIGNAL_LEVELS }, (_, level) => levelCharacter(level)),
];

/**
 * `tokenizer.json` of all models here, teachers and student alike: a token for each printable character of ASCII, one for each
 * level of a signal, and four that are no text.
 */
export function vocabularyFile(): object {
  const ids = new Map([...SPECIAL, ...CHARACTERS].map((token, id) => [token, id]));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    })),
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: "Fuse" },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: UNKNOWN, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries(ids),
      merges: [],
    },
  };
}

/** `tokenizer_config.json`, with the template of a question and its answer. */
export function vocabularyConfig(context: number): object {
  const template =
    "{% for message in messages %}{% if message.role == 'user' %}{{ bos_token }}{{ message.content }}" +
    `${ANSWER}{% else %}{{ message.content }}${END}{% endif %}{% endfor %}`;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: BEGINNING,
    eos_token: END,
    chat_template: template,
    clean_up_tokenization_spaces: false,
    model_max_length: context,
  };
}

/** Tokens of the vocabulary. */
export const VOCABULARY = SPECIAL.length + CHARACTERS.length;
/** The token that ends an answer. */
export const END_TOKEN = SPECIAL.indexOf(END);
