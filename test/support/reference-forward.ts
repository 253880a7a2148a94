// Owns the oracle of the logits: the forward pass of the Qwen2 and Llama families in float64, straight from a folder's own weights, by transformers' formulas.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

type Matrix = { rows: number; columns: number; values: Float64Array }
/** Added to a weight: scale · B · A, B of rows × rank and A of rank × columns. */
export interface Delta {
  scale: number
  rank: number
  a: Float32Array
  b: Float32Array
}

export class Reference {
  readonly #config: Record<string, unknown>
  readonly #weights = new Map<string, Matrix>()

  constructor(folder: string) {
    this.#config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.safetensors'))) this.#load(readFileSync(join(folder, name)))
  }

  #load(bytes: Buffer): void {
    const length = Number(bytes.readBigUInt64LE())
    type Entry = { dtype: string; shape: number[]; data_offsets: [begin: number, end: number] }
    const { __metadata__: _, ...header } = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Entry>
    for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
      const [begin, end] = offsets
      const data = bytes.subarray(8 + length + begin, 8 + length + end)
      const view = new DataView(data.buffer, data.byteOffset, data.length)
      const [rows, columns] = [shape[0]!, shape[1] ?? 1]
      const values = Float64Array.from({ length: rows * columns }, (_, n) => valueAt(view, n, dtype))
      this.#weights.set(name, { rows, columns, values })
    }
  }

  /** W ← W + scale · B · A for the weight called `name`. */
  add(name: string, { scale, rank, a, b }: Delta): void {
    const { rows, columns, values } = this.#weights.get(name)!
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        let sum = 0
        for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * columns + column]!
        values[row * columns + column]! += scale * sum
      }
  }

  /** tokens × vocabulary, a row per position. */
  logits(tokens: readonly number[]): Float64Array {
    const number = (key: string) => Number(this.#config[key])
    const [width, heads, epsilon] = [number('hidden_size'), number('num_attention_heads'), number('rms_norm_eps')]
    const head = this.#config['head_dim'] == null ? width / heads : number('head_dim')
    const keyHeads = this.#config['num_key_value_heads'] == null ? heads : number('num_key_value_heads')
    const embedding = this.#weights.get('model.embed_tokens.weight')!
    const frequencies = inverseFrequencies(this.#config, head)
    let hidden = tokens.map((token) => embedding.values.slice(token * width, (token + 1) * width))
    for (let n = 0; n < number('num_hidden_layers'); n++) {
      const layer = `model.layers.${n}.`
      const normed = hidden.map((x) => this.#norm(`${layer}input_layernorm`, x, epsilon))
      const queries = normed.map((x, at) => rotate(this.#linear(`${layer}self_attn.q_proj`, x), at, head, frequencies))
      const keys = normed.map((x, at) => rotate(this.#linear(`${layer}self_attn.k_proj`, x), at, head, frequencies))
      const values = normed.map((x) => this.#linear(`${layer}self_attn.v_proj`, x))
      hidden = hidden.map((x, at) =>
        plus(x, this.#linear(`${layer}self_attn.o_proj`, attend(queries[at]!, keys, values, at, head, heads / keyHeads))),
      )
      hidden = hidden.map((x) => {
        const y = this.#norm(`${layer}post_attention_layernorm`, x, epsilon)
        const [gate, up] = [this.#linear(`${layer}mlp.gate_proj`, y), this.#linear(`${layer}mlp.up_proj`, y)]
        return plus(
          x,
          this.#linear(
            `${layer}mlp.down_proj`,
            up.map((value, k) => value * silu(gate[k]!)),
          ),
        )
      })
    }
    const output = this.#config['tie_word_embeddings'] === true ? 'model.embed_tokens' : 'lm_head'
    const rows = hidden.map((x) => this.#linear(output, this.#norm('model.norm', x, epsilon)))
    const all = new Float64Array(rows.length * rows[0]!.length)
    rows.forEach((row, at) => all.set(row, at * row.length))
    return all
  }

  #linear(name: string, x: Float64Array): Float64Array {
    const { rows, columns, values } = this.#weights.get(`${name}.weight`)!
    const bias = this.#weights.get(`${name}.bias`)?.values
    const out = new Float64Array(rows)
    for (let row = 0; row < rows; row++) {
      let sum = bias?.[row] ?? 0
      for (let column = 0; column < columns; column++) sum += values[row * columns + column]! * x[column]!
      out[row] = sum
    }
    return out
  }

  #norm(name: string, x: Float64Array, epsilon: number): Float64Array {
    const { values } = this.#weights.get(`${name}.weight`)!
    const scale = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + epsilon)
    return x.map((value, n) => value * scale * values[n]!)
  }
}

const silu = (x: number) => x / (1 + Math.exp(-x))
const plus = (a: Float64Array, b: Float64Array) => a.map((value, n) => value + b[n]!)

function valueAt(view: DataView, n: number, dtype: string): number {
  if (dtype === 'F32') return view.getFloat32(n * 4, true)
  if (dtype === 'F16') return view.getFloat16(n * 2, true)
  const word = new DataView(new ArrayBuffer(4))
  word.setUint16(0, view.getUint16(n * 2, true))
  return word.getFloat32(0)
}

/** Radians per position of each pair of a head: base^(−2n/d), scaled as the config says. */
function inverseFrequencies(config: Record<string, unknown>, head: number): number[] {
  const rope = (config['rope_parameters'] ?? config['rope_scaling'] ?? {}) as Record<string, number | string>
  const base = Number(rope['rope_theta'] ?? config['rope_theta'] ?? 10_000)
  const plain = Array.from({ length: head / 2 }, (_, n) => base ** ((-2 * n) / head))
  const [kind, factor] = [rope['rope_type'] ?? rope['type'] ?? 'default', Number(rope['factor'])]
  if (kind === 'linear') return plain.map((frequency) => frequency / factor)
  if (kind !== 'llama3') return plain
  const [low, high, old] = [Number(rope['low_freq_factor']), Number(rope['high_freq_factor']), Number(rope['original_max_position_embeddings'])]
  return plain.map((frequency) => {
    const turns = (old * frequency) / (2 * Math.PI)
    if (turns > high) return frequency
    if (turns < low) return frequency / factor
    const share = (turns - low) / (high - low)
    return (1 - share) * (frequency / factor) + share * frequency
  })
}

/** Hugging Face's rotate_half on each head: value j turns with value j + d/2. */
function rotate(x: Float64Array, position: number, head: number, frequencies: readonly number[]): Float64Array {
  const out = new Float64Array(x.length)
  for (let start = 0; start < x.length; start += head)
    for (const [n, frequency] of frequencies.entries()) {
      const [cos, sin] = [Math.cos(position * frequency), Math.sin(position * frequency)]
      const [first, second] = [x[start + n]!, x[start + n + head / 2]!]
      out[start + n] = first * cos - second * sin
      out[start + n + head / 2] = second * cos + first * sin
    }
  return out
}

/** Causal attention of one position; `share` query heads use one head of keys and values. */
function attend(query: Float64Array, keys: Float64Array[], values: Float64Array[], at: number, head: number, share: number): Float64Array {
  const out = new Float64Array(query.length)
  for (let h = 0; h * head < query.length; h++) {
    const from = Math.floor(h / share) * head
    const scores = keys.slice(0, at + 1).map((key) => {
      let sum = 0
      for (let n = 0; n < head; n++) sum += query[h * head + n]! * key[from + n]!
      return sum / Math.sqrt(head)
    })
    const most = Math.max(...scores)
    const weights = scores.map((score) => Math.exp(score - most))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    for (const [m, weight] of weights.entries()) for (let n = 0; n < head; n++) out[h * head + n]! += (weight / total) * values[m]![from + n]!
  }
  return out
}
