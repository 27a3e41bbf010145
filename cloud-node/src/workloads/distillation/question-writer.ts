import { HfTokenizer } from "../language-model/hf-tokenizer.ts";
import { ChatTemplate } from "../lora/chat-template.ts";
import type { ExampleWriter } from "../lora/tokenized-example.ts";
import { END_TOKEN, vocabularyConfig, vocabularyFile } from "./vocabulary.ts";

/** How all models here write questions and answers. @param context  tokens that a model sees */
export function questionWriter(context: number): ExampleWriter {
  const tokenizer = new HfTokenizer(vocabularyFile());
  const chat = new ChatTemplate(vocabularyConfig(context), "the vocabulary of teachers and student", tokenizer);
  const chatTokens = (prompt: string) => tokenizer.encodeMarked(chat.question(prompt));
  return { tokenizer, chat, ends: new Set([END_TOKEN]), chatTokens };
}
