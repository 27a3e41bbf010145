/** The part of a generated student that is the same for all: a Llama's forward pass in plain loops, in doubles. */
export const FORWARD_SOURCE = `/** Sizes of a Llama with RMSNorm, turned positions, heads of keys shared by heads of queries, and SwiGLU. */
export interface StudentConfig {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly width: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly ropeTheta: number;
  readonly normEps: number;
  readonly isTied: boolean;
}

/** Weights by the names of Hugging Face's Llama, row-major. */
export type Tensors = ReadonlyMap<string, Float32Array>;

/** What is added beside linear maps: scale · up · down. */
export interface Adapter {
  readonly rank: number;
  readonly scale: number;
  /** By the name of the map: down (rank, inputs), up (outputs, rank). */
  readonly pairs: ReadonlyMap<string, { readonly down: Float32Array; readonly up: Float32Array }>;
}

/** Picks the adapter for a prompt: a linear map of how often each character is in it. */
export interface Router {
  readonly categories: readonly string[];
  /** Every character that counts. */
  readonly alphabet: string;
  readonly bias: readonly number[];
  /** Shape (categories, characters). */
  readonly weights: readonly (readonly number[])[];
}

/** The category of a prompt: the likeliest, and the first of equals. */
export function route({ categories, alphabet, bias, weights }: Router, prompt: string): string {
  const places = [...prompt].map((character) => [...alphabet].indexOf(character)).filter((at) => at >= 0);
  const scores = categories.map((_, category) => {
    const total = places.reduce((sum, at) => sum + (weights[category]?.[at] ?? 0), 0);
    return (bias[category] ?? 0) + total / Math.max(1, places.length);
  });
  return categories[scores.indexOf(Math.max(...scores))] ?? "";
}

/** Every tensor of the student, with its shape. */
export function tensorShapes(): Map<string, readonly number[]> {
  const { layers, heads, kvHeads, headWidth, width, hidden, vocabulary, isTied } = CONFIG;
  const shapes = new Map<string, readonly number[]>([["model.embed_tokens.weight", [vocabulary, width]]]);
  for (let layer = 0; layer < layers; layer += 1) {
    const at = \`model.layers.\${layer}\`;
    shapes.set(\`\${at}.input_layernorm.weight\`, [width]);
    shapes.set(\`\${at}.self_attn.q_proj.weight\`, [heads * headWidth, width]);
    shapes.set(\`\${at}.self_attn.k_proj.weight\`, [kvHeads * headWidth, width]);
    shapes.set(\`\${at}.self_attn.v_proj.weight\`, [kvHeads * headWidth, width]);
    shapes.set(\`\${at}.self_attn.o_proj.weight\`, [width, heads * headWidth]);
    shapes.set(\`\${at}.post_attention_layernorm.weight\`, [width]);
    shapes.set(\`\${at}.mlp.gate_proj.weight\`, [hidden, width]);
    shapes.set(\`\${at}.mlp.up_proj.weight\`, [hidden, width]);
    shapes.set(\`\${at}.mlp.down_proj.weight\`, [width, hidden]);
  }
  shapes.set("model.norm.weight", [width]);
  if (!isTied) shapes.set("lm_head.weight", [vocabulary, width]);
  return shapes;
}

/** What follows some tokens. @returns logits, shape (vocabulary) */
export function forward(tensors: Tensors, tokens: readonly number[], adapter?: Adapter): Float64Array {
  const { layers, width, normEps, isTied } = CONFIG;
  const table = weight(tensors, "model.embed_tokens.weight");
  const vector = (token: number) => Float64Array.from(table.subarray(token * width, (token + 1) * width));
  let rows: Float64Array[] = tokens.map(vector);
  const map = (name: string, x: Float64Array) => linear(tensors, name, x, adapter);
  for (let layer = 0; layer < layers; layer += 1) {
    const at = \`model.layers.\${layer}\`;
    const norm = (name: string, x: Float64Array) => rmsNorm(x, weight(tensors, \`\${at}.\${name}.weight\`), normEps);
    const inner = rows.map((row) => norm("input_layernorm", row));
    const seen = attend(
      inner.map((row, place) => turned(map(\`\${at}.self_attn.q_proj.weight\`, row), place)),
      inner.map((row, place) => turned(map(\`\${at}.self_attn.k_proj.weight\`, row), place)),
      inner.map((row) => map(\`\${at}.self_attn.v_proj.weight\`, row)),
    );
    rows = rows.map((row, place) => sum(row, map(\`\${at}.self_attn.o_proj.weight\`, seen[place] as Float64Array)));
    rows = rows.map((row) => {
      const x = norm("post_attention_layernorm", row);
      const gate = map(\`\${at}.mlp.gate_proj.weight\`, x);
      const up = map(\`\${at}.mlp.up_proj.weight\`, x);
      const gated = up.map((value, i) => (value * (gate[i] as number)) / (1 + Math.exp(-(gate[i] as number))));
      return sum(row, map(\`\${at}.mlp.down_proj.weight\`, gated));
    });
  }
  const last = rmsNorm(rows.at(-1) as Float64Array, weight(tensors, "model.norm.weight"), normEps);
  return linear(tensors, isTied ? "model.embed_tokens.weight" : "lm_head.weight", last, undefined);
}

function weight(tensors: Tensors, name: string): Float32Array {
  const values = tensors.get(name);
  if (values === undefined) throw new RangeError(\`there is no tensor \${name}\`);
  return values;
}

function dot(a: Float64Array, b: Float32Array | Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i += 1) total += (a[i] as number) * (b[i] as number);
  return total;
}

function product(matrix: Float32Array, x: Float64Array): Float64Array {
  const rows = matrix.length / x.length;
  return Float64Array.from({ length: rows }, (_, row) => dot(x, matrix.subarray(row * x.length)));
}

function linear(tensors: Tensors, name: string, x: Float64Array, adapter: Adapter | undefined): Float64Array {
  const out = product(weight(tensors, name), x);
  const pair = adapter?.pairs.get(name);
  if (adapter === undefined || pair === undefined) return out;
  const added = product(pair.up, product(pair.down, x));
  return out.map((value, i) => value + adapter.scale * (added[i] as number));
}

function rmsNorm(x: Float64Array, gain: Float32Array, eps: number): Float64Array {
  const square = x.reduce((total, value) => total + value * value, 0) / x.length;
  const scale = 1 / Math.sqrt(square + eps);
  return x.map((value, i) => value * scale * (gain[i] as number));
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + (b[i] as number));
}

/** Each head's channels i and i + half are turned together, the slower the larger i. */
function turned(x: Float64Array, place: number): Float64Array {
  const { headWidth, ropeTheta } = CONFIG;
  const half = headWidth / 2;
  const out = Float64Array.from(x);
  for (let head = 0; head < x.length; head += headWidth) {
    for (let i = 0; i < half; i += 1) {
      const angle = place * ropeTheta ** (-i / half);
      const [a, b] = [x[head + i] as number, x[head + half + i] as number];
      out[head + i] = a * Math.cos(angle) - b * Math.sin(angle);
      out[head + half + i] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }
  return out;
}

function attend(queries: Float64Array[], keys: Float64Array[], values: Float64Array[]): Float64Array[] {
  const { heads, kvHeads, headWidth } = CONFIG;
  return queries.map((query, place) => {
    const out = new Float64Array(heads * headWidth);
    for (let head = 0; head < heads; head += 1) {
      const from = Math.floor((head * kvHeads) / heads) * headWidth;
      const asking = query.subarray(head * headWidth, (head + 1) * headWidth);
      const scores = keys.slice(0, place + 1).map((key) => dot(asking, key.subarray(from)) / Math.sqrt(headWidth));
      const highest = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - highest));
      const all = shares.reduce((total, share) => total + share, 0);
      for (const [at, share] of shares.entries()) {
        const value = (values[at] as Float64Array).subarray(from);
        const place = head * headWidth;
        for (let i = 0; i < headWidth; i += 1) {
          out[place + i] = (out[place + i] as number) + (share / all) * (value[i] as number);
        }
      }
    }
    return out;
  });
}
`;
