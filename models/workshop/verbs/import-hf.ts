// Owns `import-hf`: a Hugging Face folder as one GGUF file, without Python.
import { basename } from 'node:path'
import { tensorTypes } from '../../../app/engine/ggml-types.ts'
import { bytesOf, type NewTensor } from '../gguf/write.ts'
import type { Float } from '../hf/halves.ts'
import { importFolder } from '../hf/import.ts'
import { groupOf } from '../recipe.ts'
import type { Row } from '../report.ts'
import { optionText, WrongUse, type Verb } from '../verb.ts'

const TYPES: Readonly<Record<string, Float>> = { f16: 'F16', bf16: 'BF16', f32: 'F32' }

export const importHfVerb: Verb = {
  name: 'import-hf',
  about: 'a Hugging Face folder (Qwen2 and Llama families, safetensors) as a GGUF model',
  usage: 'DIR OUT.gguf [--type f16|bf16|f32]',
  positionals: [2, 2],
  options: { type: { type: 'string' }, name: { type: 'string' }, force: { type: 'boolean', default: false } },
  help: `
  --type T   of the matrices: f16, bf16 or f32 (default: the source's own; f16 for a source in f32)
  --name N   the model's name (default: the folder's)
  --force    replace OUT if it is there

DIR holds config.json, tokenizer.json, model.safetensors or its shards with their index, and, where
there are any, tokenizer_config.json, generation_config.json and chat_template.jinja.
Qwen2ForCausalLM, LlamaForCausalLM and MistralForCausalLM (without a window) can be imported; what
cannot be stated exactly in GGUF is refused, nothing is guessed. Norms and biases become f32. Weights
pass through in pieces: memory does not grow with the model. A value that is not finite, or too large
for the type, ends the import. OUT appears under its name only when it is whole.`,
  async run(input, context) {
    const [folder, to] = input.positionals as [string, string]
    const asked = optionText(input, 'type')
    const type = asked === undefined ? null : TYPES[asked.toLowerCase()]
    if (type === undefined) throw new WrongUse(`--type takes ${Object.keys(TYPES).join(', ')}, not “${asked}”.`)
    const made = await importFolder({ folder, to, type, name: optionText(input, 'name') ?? null, force: input.values['force'] === true }, context)
    const { specials, rounding, weightsId, bytes } = made
    const notes = [
      `${basename(to)}: ${made.model.architecture}, ${made.type} from ${made.sourceType}, ${(bytes / 1e9).toFixed(3)} GB. Weights ${weightsId.slice(0, 16)}….`,
      `An answer ends at ${specials.ends.join(', ')}; ${specials.addBos ? `every text begins with ${specials.bos}` : 'nothing is put before a text'}.`,
      specials.template > 0 ? `Chat template of ${specials.template} characters.` : 'The folder has no chat template: the model continues text.',
    ]
    if (rounding.vanished > 0) notes.push(`${rounding.vanished} weights were too small for ${made.type} and became 0.`)
    if (made.composes) notes.push('The source composes characters first (NFC); llama.cpp does not: give it text in NFC, as keyboards do.')
    return {
      name: 'import-hf',
      rows: rowsOf(made.tensors),
      targets: [],
      notes,
      detail: { weightsId, bytes, type: made.type, vanished: rounding.vanished },
    }
  },
}

function rowsOf(tensors: readonly NewTensor[]): Row[] {
  const rows = new Map<string, { group: string; type: string; tensors: number; values: number; bytes: number }>()
  for (const tensor of tensors) {
    const [group, type] = [groupOf(tensor.name), tensorTypes.get(tensor.type)!.name]
    const row = rows.get(`${group} ${type}`) ?? { group, type, tensors: 0, values: 0, bytes: 0 }
    row.tensors++
    row.values += tensor.dims.reduce((product, length) => product * length, 1)
    row.bytes += bytesOf(tensor)
    rows.set(`${group} ${type}`, row)
  }
  return [...rows.values()].map(({ group, type, tensors: count, values, bytes }) => ({
    ...{ group, type, tensors: count },
    'million weights': values / 1e6,
    MB: bytes / 1e6,
  }))
}
