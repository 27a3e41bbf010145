/**
 * A student's bundle, read and asked by this file alone: it shares no code with the project, so that what a bundle is follows
 * from its files and from what docs/guides/distillation.md says about them.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Plan {
  readonly adapters: readonly {
    readonly category: string;
    readonly rank: number;
    readonly alpha: number;
    readonly targets: readonly string[];
  }[];
}
interface Config {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly vocab_size: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly eos_token_id: number;
}
/** Of the tokens so far. */
interface Seen {
  readonly keys: Float64Array[];
  readonly values: Float64Array[];
}
type Matrix = { readonly rows: number; readonly columns: number; readonly values: Float64Array };

/** Files that a manifest lists and that are not what it says. */
export function wrongFiles(bundle: string): string[] {
  const manifest = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8")) as {
    files: { path: string; bytes: number; sha256: string }[];
  };
  return manifest.files.flatMap(({ path, bytes, sha256 }) => {
    const content = readFileSync(join(bundle, path));
    const isSame = content.length === bytes && createHash("sha256").update(content).digest("hex") === sha256;
    return isSame ? [] : [path];
  });
}

/** A bundle, asked prompt by prompt: the router picks an adapter, and the likeliest token follows until the end. */
export class BundledStudent {
  readonly #config: Config;
  readonly #plan: Plan;
  readonly #matrices = new Map<string, Matrix>();
  readonly #gains = new Map<string, Float64Array>();
  readonly #router: { categories: string[]; alphabet: string; weights: Float64Array; bias: Float64Array };
  readonly #tokens: { id: number; content: string }[];

  constructor(bundle: string) {
    const json = <T>(name: string) => JSON.parse(readFileSync(join(bundle, name), "utf8")) as T;
    this.#config = json("config.json");
    this.#plan = json("student.json");
    const tensors = readSafetensors(readFileSync(join(bundle, "student.safetensors")));
    const router = json<{ categories: string[]; alphabet: string }>("router.json");
    const numbers = (name: string) => tensors.get(name) ?? new Float64Array();
    this.#router = { ...router, weights: numbers("router.weights"), bias: numbers("router.bias") };
    const { vocab, added } = tokensOf(json("tokenizer.json"));
    this.#tokens = [...vocab, ...added];
    this.#takeMatrices(numbers("codes"), numbers("scales"));
    this.#takeGains(numbers("gains"));
  }

  /** The adapter that the router takes for a prompt. */
  route(prompt: string): string {
    const { categories, alphabet, weights, bias } = this.#router;
    const places = [...prompt].map((character) => alphabet.indexOf(character)).filter((place) => place >= 0);
    const scores = categories.map((_, at) =>
      places.reduce(
        (sum, place) => sum + (weights[at * alphabet.length + place] as number) / places.length,
        bias[at] as number,
      ),
    );
    return categories[scores.indexOf(Math.max(...scores))] as string;
  }

  /** @param limit  tokens at most */
  answer(question: readonly number[], category: string, limit: number): string {
    const seen: Seen[] = Array.from({ length: this.#config.num_hidden_layers }, () => ({ keys: [], values: [] }));
    let logits: readonly number[] = [];
    for (const token of question) logits = this.#forward(token, category, seen);
    let text = "";
    for (let count = 0; count < limit; count += 1) {
      const next = logits.indexOf(Math.max(...logits));
      if (next === this.#config.eos_token_id) break;
      text += this.#tokens.find(({ id }) => id === next)?.content ?? "";
      logits = this.#forward(next, category, seen);
    }
    return text;
  }

  /** Token of a character, or of a special word. */
  token(content: string): number {
    const found = this.#tokens.find((token) => token.content === content);
    if (found === undefined) throw new RangeError(`no token ${content}`);
    return found.id;
  }

  /** What follows one more token. @param seen  keys and values of the tokens before, layer by layer; it joins them */
  #forward(token: number, category: string, seen: readonly Seen[]): number[] {
    const { hidden_size: width, num_attention_heads: heads, num_key_value_heads: kvHeads } = this.#config;
    const head = width / heads;
    const table = this.#matrix("embed");
    let x: Float64Array = table.values.slice(token * width, (token + 1) * width);
    for (const [layer, { keys, values }] of seen.entries()) {
      const map = (part: string, from: Float64Array) => this.#map(layer, part, category, from);
      const inner = this.#norm(x, `${layer}/in`);
      const query = this.#turn(map("q_proj", inner), keys.length, head);
      keys.push(this.#turn(map("k_proj", inner), keys.length, head));
      values.push(map("v_proj", inner));
      const mixed = new Float64Array(width);
      for (let at = 0; at < heads; at += 1) {
        const shared = Math.floor(at / (heads / kvHeads)) * head;
        const own = query.subarray(at * head, (at + 1) * head);
        const weights = keys.map((key) => Math.exp(dot(own, key.subarray(shared)) / Math.sqrt(head)));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let i = 0; i < head; i += 1) {
          mixed[at * head + i] =
            weights.reduce((sum, weight, from) => sum + weight * (values[from]?.[shared + i] ?? 0), 0) / total;
        }
      }
      x = added(x, map("o_proj", mixed));
      const post = this.#norm(x, `${layer}/post`);
      const gate = map("gate_proj", post);
      const gated = map("up_proj", post).map((value, i) => (value * (gate[i] ?? 0)) / (1 + Math.exp(-(gate[i] ?? 0))));
      x = added(x, map("down_proj", gated));
    }
    return [...times(table, this.#norm(x, "last"))];
  }

  #map(layer: number, part: string, category: string, x: Float64Array): Float64Array {
    const out = times(this.#matrix(`${layer}/${part}`), x);
    const adapter = this.#plan.adapters.find((each) => each.category === category);
    if (adapter === undefined || !adapter.targets.includes(part)) return out;
    const inner = times(this.#matrix(`${category}/${layer}/${part}/down`), x);
    const up = this.#matrix(`${category}/${layer}/${part}/up`);
    return out.map((value, at) => {
      let sum = 0;
      // Kept with its columns as rows.
      for (let r = 0; r < adapter.rank; r += 1)
        sum += (up.values[r * up.columns + at] as number) * (inner[r] as number);
      return value + (adapter.alpha / adapter.rank) * sum;
    });
  }

  #matrix(name: string): Matrix {
    const found = this.#matrices.get(name);
    if (found === undefined) throw new RangeError(`no matrix ${name}`);
    return found;
  }

  #norm(x: Float64Array, name: string): Float64Array {
    const square = x.reduce((sum, value) => sum + value * value, 0) / x.length;
    const gain = this.#gains.get(name) as Float64Array;
    return x.map((value, i) => (value / Math.sqrt(square + this.#config.rms_norm_eps)) * (gain[i] as number));
  }

  #turn(x: Float64Array, place: number, head: number): Float64Array {
    const out = Float64Array.from(x);
    for (let at = 0; at < x.length; at += head) {
      for (let i = 0; i < head / 2; i += 1) {
        const angle = place / this.#config.rope_theta ** ((2 * i) / head);
        const [a, b] = [x[at + i] as number, x[at + i + head / 2] as number];
        out[at + i] = a * Math.cos(angle) - b * Math.sin(angle);
        out[at + i + head / 2] = a * Math.sin(angle) + b * Math.cos(angle);
      }
    }
    return out;
  }

  /** Codes are in this order: the table, layer by layer seven maps, and adapter by adapter the same maps, down and up. */
  #takeMatrices(codes: Float64Array, scales: Float64Array): void {
    const { hidden_size: width, intermediate_size: hidden, num_attention_heads: heads } = this.#config;
    const kv = (width / heads) * this.#config.num_key_value_heads;
    const maps: readonly (readonly [string, number, number])[] = [
      ...([
        ["q_proj", width, width],
        ["k_proj", kv, width],
        ["v_proj", kv, width],
        ["o_proj", width, width],
      ] as const),
      ...([
        ["gate_proj", hidden, width],
        ["up_proj", hidden, width],
        ["down_proj", width, hidden],
      ] as const),
    ];
    let [code, scale] = [0, 0];
    const take = (name: string, rows: number, columns: number): void => {
      const values = codes
        .slice(code, code + rows * columns)
        .map((value, at) => value * (scales[scale + Math.floor(at / columns)] as number));
      this.#matrices.set(name, { rows, columns, values });
      [code, scale] = [code + rows * columns, scale + rows];
    };
    const layers = Array.from({ length: this.#config.num_hidden_layers }, (_, layer) => layer);
    take("embed", this.#config.vocab_size, width);
    for (const layer of layers) for (const [part, outputs, inputs] of maps) take(`${layer}/${part}`, outputs, inputs);
    for (const { category, rank, targets } of this.#plan.adapters) {
      for (const layer of layers) {
        for (const [part, outputs, inputs] of maps) {
          if (!targets.includes(part)) continue;
          take(`${category}/${layer}/${part}/down`, rank, inputs);
          take(`${category}/${layer}/${part}/up`, rank, outputs);
        }
      }
    }
    if (code !== codes.length || scale !== scales.length)
      throw new RangeError(`${codes.length - code} codes are left over`);
  }

  #takeGains(gains: Float64Array): void {
    const width = this.#config.hidden_size;
    const layers = Array.from({ length: this.#config.num_hidden_layers }, (_, layer) => [
      `${layer}/in`,
      `${layer}/post`,
    ]);
    for (const [at, name] of [...layers.flat(), "last"].entries())
      this.#gains.set(name, gains.slice(at * width, (at + 1) * width));
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function times({ rows, columns, values }: Matrix, x: Float64Array): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => dot(x, values.subarray(row * columns)));
}

function added(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + (b[i] as number));
}

function readSafetensors(file: Buffer): Map<string, Float64Array> {
  const length = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.subarray(8, 8 + length).toString("utf8")) as Record<
    string,
    { dtype: "I8" | "F16" | "F32"; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          data_offsets: [from, to],
        },
      ]) => {
        const bytes = Uint8Array.from(file.subarray(8 + length + from, 8 + length + to)).buffer;
        const kinds = { I8: Int8Array, F16: Float16Array, F32: Float32Array };
        return [name, Float64Array.from(new kinds[dtype](bytes))];
      },
    ),
  );
}

function tokensOf(file: { model: { vocab: Record<string, number> }; added_tokens: { id: number; content: string }[] }) {
  const vocab = Object.entries(file.model.vocab).map(([content, id]) => ({ id, content }));
  return { vocab, added: file.added_tokens };
}
