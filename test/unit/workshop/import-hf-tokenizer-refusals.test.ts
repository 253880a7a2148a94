// Owns the tests of import-hf on tokenizers that contradict themselves or that GGUF cannot state: each refused with a code, nothing written.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { importHfVerb } from '../../../models/workshop/verbs/import-hf.ts'
import { makeFolder } from '../../support/hf-folder.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'
import { edit, inside, invalid, replace, unsupported, type Case, type Json } from '../../support/spoil.ts'

const root = mkdtempSync(join(tmpdir(), 'rushlight tokenizers '))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0
const llama2 = { style: 'llama2' } as const
const tokenizer = (change: (json: Json) => void) => ({ after: edit('tokenizer.json', change) })

const cases: Case[] = [
  unsupported(
    'Unigram',
    ['Unigram'],
    tokenizer((json) => (inside(json, 'model')['type'] = 'Unigram')),
  ),
  unsupported(
    'dropout',
    ['dropout'],
    tokenizer((json) => (inside(json, 'model')['dropout'] = 0.1)),
  ),
  unsupported(
    'an unknown split',
    ['split'],
    tokenizer((json) => (inside((inside(json, 'pre_tokenizer')['pretokenizers'] as Json[])[0]!, 'pattern')['Regex'] = '\\w+|\\W+')),
  ),
  unsupported(
    'the split of Qwen2 with whole words first',
    ['split'],
    tokenizer((json) => (inside(json, 'model')['ignore_merges'] = true)),
  ),
  unsupported(
    'text in lower case',
    ['Lowercase'],
    tokenizer((json) => (json['normalizer'] = { type: 'Lowercase' })),
  ),
  unsupported(
    'a token that takes up space',
    ['<|im_end|>', 'space'],
    tokenizer((json) => ((json['added_tokens'] as Json[])[2]!['lstrip'] = true)),
  ),
  unsupported(
    'a byte that is no token',
    ['256 bytes'],
    tokenizer((json) => delete (inside(json, 'model')['vocab'] as Json)['z'] && (inside(json, 'model')['merges'] = [])),
  ),
  unsupported(
    'something unknown around every text',
    ['RobertaProcessing'],
    tokenizer((json) => (json['post_processor'] = { type: 'RobertaProcessing' })),
  ),
  invalid(
    'two texts for an id',
    ['same id'],
    tokenizer((json) => ((inside(json, 'model')['vocab'] as Json)['new'] = 5)),
  ),
  invalid(
    'two ids for a text',
    ['two ids'],
    tokenizer((json) => ((json['added_tokens'] as Json[])[0]!['content'] = '<|im_end|>')),
  ),
  invalid(
    'an id outside of the model',
    ['has id 99999'],
    tokenizer((json) => ((inside(json, 'model')['vocab'] as Json)['new'] = 99_999)),
  ),
  invalid(
    'a merge of what is no token',
    ['the merge'],
    tokenizer((json) => (inside(json, 'model')['merges'] as unknown[]).push(['q', 'never'])),
  ),
  invalid(
    'half a surrogate',
    ['no text'],
    tokenizer((json) => ((inside(json, 'model')['vocab'] as Json)['\ud800'] = 565)),
  ),
  invalid('an end that is no token', ['<|end|>', 'no token'], {
    after: edit('tokenizer_config.json', (json) => (json['eos_token'] = '<|end|>')),
  }),
  invalid('an end outside of the vocabulary', ['no token 4000000'], {
    after: replace('generation_config.json', () => ({ eos_token_id: 4_000_000 })),
  }),
  invalid('no end at all', ['ends an answer'], {
    after: (path) => {
      edit('config.json', (json) => delete json['eos_token_id'])(path)
      rmSync(join(path, 'generation_config.json'))
      rmSync(join(path, 'tokenizer_config.json'))
    },
  }),
  // byte fallback
  unsupported('a space before the text only', ['prepend_scheme'], {
    folder: llama2,
    ...tokenizer((json) =>
      Object.assign(json, { normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false } }),
    ),
  }),
  unsupported('a merge that is missing', ['no merge says so'], {
    folder: llama2,
    ...tokenizer((json) => (inside(json, 'model')['merges'] as string[]).shift()),
  }),
  unsupported('merges whose order no scores have', ['rank among each other'], {
    folder: llama2,
    ...tokenizer((json) => (inside(json, 'model')['merges'] as string[]).sort()),
  }),
  unsupported('a byte that has no token', ['byte 255'], {
    folder: llama2,
    ...tokenizer((json) => delete (inside(json, 'model')['vocab'] as Json)['<0xFF>']),
  }),
]

describe('import-hf refuses a tokenizer with', () => {
  it.each(cases)('$what', async ({ code, says, folder, after }) => {
    const path = join(root, `model ${++count}`)
    makeFolder(path, { style: 'qwen2', dtype: 'F16', ...folder })
    after?.(path)
    await expectRefusal(runVerb(importHfVerb, [path, join(root, 'out.gguf')]), code, ...says)
    expect(readdirSync(root).filter((name) => name.includes('out.gguf'))).toEqual([])
    rmSync(path, { recursive: true })
  })
})
