import { Template } from "@huggingface/jinja";
import * as v from "valibot";
import type { HfTokenizer } from "../language-model/hf-tokenizer.ts";
import { LoraError } from "./lora-error.ts";

/** Longer than any template that a model came with. */
const MOST_CHARACTERS = 200_000;
/** ChatML's two words. */
const CHAT_ML_WORDS = ["<|im_start|>", "<|im_end|>"] as const;
/** What a chat is to a model that says nothing of chats, and knows them. */
const CHAT_ML =
  "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
/** And to one that does not. */
const LINES = "{% for message in messages %}{{ message.content }}\n{% endfor %}";

const wordSchema = v.union([v.string(), v.looseObject({ content: v.string() })]);
const namedSchema = v.array(v.looseObject({ name: v.string(), template: v.string() }));
/** What is read of a `tokenizer_config.json`. */
const fileSchema = v.looseObject({
  chat_template: v.exactOptional(v.nullable(v.union([v.string(), namedSchema]))),
  bos_token: v.exactOptional(v.nullable(wordSchema)),
  eos_token: v.exactOptional(v.nullable(wordSchema)),
});

interface Message {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** How a model writes a chat. */
export class ChatTemplate {
  readonly #template: Template;
  readonly #file: string;
  readonly #words: { readonly bos_token: string; readonly eos_token: string };
  /** What nobody may say, because it would end or begin a message. */
  readonly #reserved: readonly string[];
  /** The token that ends an answer, where the file says so. */
  readonly end: number | undefined;

  /**
   * @param config  of `tokenizer_config.json`; ChatML or lines where it has no template
   * @param file  its name, for errors
   * @throws {LoraError} `bad-template`
   */
  constructor(config: unknown, file: string, tokenizer: HfTokenizer) {
    const { output, issues } = v.safeParse(fileSchema, config);
    if (issues !== undefined) throw badTemplate(file, issues[0].message);
    const { chat_template: own, bos_token: bos, eos_token: eos } = output;
    const named = typeof own === "object" ? own?.find(({ name }) => name === "default")?.template : own;
    const knowsChatMl = CHAT_ML_WORDS.every((word) => tokenizer.tokenOf(word) !== undefined);
    const text = named ?? (knowsChatMl ? CHAT_ML : LINES);
    if (text.length > MOST_CHARACTERS)
      throw badTemplate(file, `${text.length} characters, of ${MOST_CHARACTERS} at most`);
    try {
      this.#template = new Template(text);
    } catch (error) {
      throw badTemplate(file, messageOf(error), error);
    }
    this.#file = file;
    this.#words = { bos_token: wordOf(bos), eos_token: wordOf(eos) };
    this.end = tokenizer.tokenOf(this.#words.eos_token);
    this.#reserved = [...tokenizer.specialWords, this.#words.eos_token, ...(knowsChatMl ? CHAT_ML_WORDS : [])].filter(
      (word) => word !== "",
    );
  }

  /**
   * A question, up to where the answer begins.
   *
   * @throws {LoraError} `special-in-text`, `bad-template` where the template itself fails
   */
  question(prompt: string): string {
    return this.#render([{ role: "user", content: prompt }], true);
  }

  /** A question with its answer. @throws as `question` */
  exchange(prompt: string, answer: string): string {
    const messages: Message[] = [
      { role: "user", content: prompt },
      { role: "assistant", content: answer },
    ];
    return this.#render(messages, false);
  }

  #render(messages: readonly Message[], isOpen: boolean): string {
    const reserved = this.#reserved.find((word) => messages.some(({ content }) => content.includes(word)));
    if (reserved !== undefined) {
      const problem = `a message has ${JSON.stringify(reserved)}, which to this model is no text`;
      throw new LoraError("special-in-text", problem, "write it otherwise");
    }
    try {
      return this.#template.render({ ...this.#words, messages, add_generation_prompt: isOpen });
    } catch (error) {
      throw badTemplate(this.#file, messageOf(error), error);
    }
  }
}

function wordOf(word: v.InferOutput<typeof wordSchema> | null | undefined): string {
  return typeof word === "string" ? word : (word?.content ?? "");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function badTemplate(file: string, problem: string, cause?: unknown): LoraError {
  const remedy = "give a chat_template in Jinja, as Hugging Face's transformers takes it, or none";
  return new LoraError("bad-template", `${file}, the chat's template: ${problem}`, remedy, { cause });
}
