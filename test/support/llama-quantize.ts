// Owns llama.cpp's own quantiser as a process: the oracle that an export is compared with, and its rival in speed. Arguments: IN OUT THREADS TYPES,
// where TYPES is a JSON list of [tensor name, type number]; prints {cpuSeconds, seconds}. Its order of tensors is the source's.
import koffi from 'koffi'
import { libraries } from '../../models/workshop/ffi/library.ts'

const [from, to, threads, types] = process.argv.slice(2) as [string, string, string, string]
const MOSTLY_IQ4_NL = 25
const { llama } = libraries()
const Override = koffi.struct('llama_model_tensor_override', { pattern: 'const char *', type: 'int' })
koffi.struct('llama_model_quantize_params', {
  ...{ nthread: 'int32_t', ftype: 'int', output_tensor_type: 'int', token_embedding_type: 'int' },
  ...{ allow_requantize: 'bool', quantize_output_tensor: 'bool', only_copy: 'bool', pure: 'bool', keep_split: 'bool', dry_run: 'bool' },
  ...{ imatrix: 'void *', kv_overrides: 'void *', tt_overrides: 'void *', prune_layers: 'void *', max_buf_size: 'size_t' },
})
llama.func('void llama_backend_init()')()
const params = llama.func('llama_model_quantize_params llama_model_quantize_default_params()')() as Record<string, unknown>
const named = JSON.parse(types) as [string, number][]
const typeOf = new Map(named)
const overrides = [...named.map(([name, type]) => ({ pattern: `^${name.replaceAll('.', '\\.')}$`, type })), { pattern: null, type: 0 }]
const memory = koffi.alloc(Override, overrides.length) as unknown
koffi.encode(memory, koffi.array(Override, overrides.length), overrides)
Object.assign(params, {
  ...{ nthread: Number(threads), ftype: MOSTLY_IQ4_NL, allow_requantize: true, tt_overrides: memory },
  token_embedding_type: typeOf.get('token_embd.weight') ?? params['token_embedding_type'],
  output_tensor_type: typeOf.get('output.weight') ?? params['output_tensor_type'],
})
const startedAt = performance.now()
const cpuAt = process.cpuUsage()
const quantize = llama.func('uint32_t llama_model_quantize(const char *from, const char *to, const llama_model_quantize_params *params)')
const code = quantize(from, to, params) as number
const cpu = process.cpuUsage(cpuAt)
process.stdout.write(JSON.stringify({ cpuSeconds: (cpu.user + cpu.system) / 1e6, seconds: (performance.now() - startedAt) / 1000 }) + '\n')
process.exitCode = code
