// Owns the declarations of libllama and ggml that the evaluator calls: structs and functions of llama.h, version v0.4.0, and no other.
import koffi from 'koffi'
import { libraries } from './library.ts'

/** An address in this process; never 0, a null pointer is null. */
export type Pointer = bigint
export interface ModelParameters {
  n_gpu_layers: number
  load_mode: number
  use_extra_bufts: boolean
}
export interface ContextParameters {
  n_ctx: number
  n_batch: number
  n_ubatch: number
  n_outputs_max_per_seq: number
  n_threads: number
  n_threads_batch: number
  flash_attn_type: number
  type_k: number
  type_v: number
  cb_eval: Pointer | null
}
/** llama_batch. Null positions continue the sequence; null sequence numbers are sequence 0. */
export interface Batch {
  n_tokens: number
  token: Int32Array
  embd: null
  pos: null
  n_seq_id: null
  seq_id: null
  logits: Int8Array
}
/** What llama_load_mode, llama_flash_attn_type and ggml_type call these. */
export const LOAD = { none: 0, mmap: 1 } as const
export const FLASH_ATTENTION_OFF = 0
export const F32 = 0

type Callback = (tensor: Pointer, ask: boolean) => boolean
export interface Llama {
  modelDefaults(): ModelParameters
  contextDefaults(): ContextParameters
  loadModel(path: string, parameters: ModelParameters): Pointer | null
  newContext(model: Pointer, parameters: ContextParameters): Pointer | null
  freeContext(context: Pointer): void
  contextSize(context: Pointer): number
  trainedContext(model: Pointer): number
  vocabOf(model: Pointer): Pointer
  vocabulary(vocab: Pointer): number
  endsGeneration(vocab: Pointer, token: number): boolean
  tokenize(vocab: Pointer, text: Uint8Array, bytes: number, tokens: Int32Array, room: number, addSpecial: boolean, parseSpecial: boolean): number
  piece(vocab: Pointer, token: number, bytes: Uint8Array, room: number, leftStrip: number, special: boolean): number
  memoryOf(context: Pointer): Pointer
  clearMemory(memory: Pointer, data: boolean): void
  /** 0: done; 1: no room in the KV cache; 2: aborted; less than 0: an error. */
  decode(context: Pointer, batch: Batch): number
  /** The logits of the ith token of the last batch, or null where none were asked for. */
  logits(context: Pointer, index: number): Pointer | null
  loadAdapter(model: Pointer, path: string): Pointer | null
  setAdapters(context: Pointer, adapters: Pointer[], count: number, scales: Float32Array): number
  readTensor(tensor: Pointer, into: Uint8Array, offset: number, bytes: number): void
  writeTensor(tensor: Pointer, from: Uint8Array, offset: number, bytes: number): void
  /** The ggml_op that is called `name`. */
  operation(name: string): number
  /** For cb_eval: called on this thread for every node of a graph. Held until the process ends. */
  register(callback: Callback): Pointer
}
let declared: Llama | undefined

/** Loads the libraries with the CPU backend of this processor, once per process. Throws LIBRARY_MISSING. */
export function llama(): Llama {
  if (declared) return declared
  const { base, ggml, llama: lib, folder } = libraries()
  koffi.struct('llama_model_params', {
    devices: 'void *',
    tensor_buft_overrides: 'void *',
    n_gpu_layers: 'int32_t',
    split_mode: 'int',
    load_mode: 'int',
    lazy_mode: 'int',
    main_gpu: 'int32_t',
    tensor_split: 'void *',
    progress_callback: 'void *',
    progress_callback_user_data: 'void *',
    kv_overrides: 'void *',
    vocab_only: 'bool',
    check_tensors: 'bool',
    use_extra_bufts: 'bool',
    no_host: 'bool',
    no_alloc: 'bool',
    load_mtp: 'bool',
  })
  koffi.struct('llama_context_params', {
    ...{ n_ctx: 'uint32_t', n_batch: 'uint32_t', n_ubatch: 'uint32_t', n_seq_max: 'uint32_t', n_rs_seq: 'uint32_t' },
    ...{ n_outputs_max: 'uint32_t', n_outputs_max_per_seq: 'uint32_t', n_threads: 'int32_t', n_threads_batch: 'int32_t' },
    ...{ ctx_type: 'int', rope_scaling_type: 'int', pooling_type: 'int', attention_type: 'int', flash_attn_type: 'int' },
    ...{ rope_freq_base: 'float', rope_freq_scale: 'float', yarn_ext_factor: 'float', yarn_attn_factor: 'float' },
    ...{ yarn_beta_fast: 'float', yarn_beta_slow: 'float', yarn_orig_ctx: 'uint32_t', defrag_thold: 'float' },
    ...{ cb_eval: 'void *', cb_eval_user_data: 'void *', type_k: 'int', type_v: 'int', abort_callback: 'void *', abort_callback_data: 'void *' },
    ...{ embeddings: 'bool', offload_kqv: 'bool', no_perf: 'bool', op_offload: 'bool', swa_full: 'bool', kv_unified: 'bool' },
    ...{ samplers: 'void *', n_samplers: 'size_t', ctx_other: 'void *' },
  })
  koffi.struct('llama_batch', {
    n_tokens: 'int32_t',
    token: 'int32_t *',
    embd: 'void *',
    pos: 'void *',
    n_seq_id: 'void *',
    seq_id: 'void *',
    logits: 'int8_t *',
  })
  const callback = koffi.proto('bool rushlight_eval_callback(void *tensor, bool ask, void *data)')
  const nameOf = base.func('const char *ggml_op_name(int op)')

  ggml.func('void ggml_backend_load_all_from_path(const char *folder)')(folder)
  lib.func('void llama_backend_init()')()
  declared = {
    modelDefaults: lib.func('llama_model_params llama_model_default_params()'),
    contextDefaults: lib.func('llama_context_params llama_context_default_params()'),
    loadModel: lib.func('void *llama_model_load_from_file(const char *path, llama_model_params params)'),
    newContext: lib.func('void *llama_init_from_model(void *model, llama_context_params params)'),
    freeContext: lib.func('void llama_free(void *ctx)'),
    contextSize: lib.func('uint32_t llama_n_ctx(void *ctx)'),
    trainedContext: lib.func('int32_t llama_model_n_ctx_train(void *model)'),
    vocabOf: lib.func('void *llama_model_get_vocab(void *model)'),
    vocabulary: lib.func('int32_t llama_vocab_n_tokens(void *vocab)'),
    endsGeneration: lib.func('bool llama_vocab_is_eog(void *vocab, int32_t token)'),
    tokenize: lib.func(
      'int32_t llama_tokenize(void *vocab, const void *text, int32_t length, _Out_ int32_t *tokens, int32_t room, bool add_special, bool parse_special)',
    ),
    piece: lib.func('int32_t llama_token_to_piece(void *vocab, int32_t token, _Out_ uint8_t *buf, int32_t room, int32_t lstrip, bool special)'),
    memoryOf: lib.func('void *llama_get_memory(void *ctx)'),
    clearMemory: lib.func('void llama_memory_clear(void *mem, bool data)'),
    decode: lib.func('int32_t llama_decode(void *ctx, llama_batch batch)'),
    logits: lib.func('void *llama_get_logits_ith(void *ctx, int32_t i)'),
    loadAdapter: lib.func('void *llama_adapter_lora_init(void *model, const char *path)'),
    setAdapters: lib.func('int32_t llama_set_adapters_lora(void *ctx, void **adapters, size_t count, float *scales)'),
    readTensor: base.func('void ggml_backend_tensor_get(const void *tensor, _Out_ void *data, size_t offset, size_t size)'),
    writeTensor: base.func('void ggml_backend_tensor_set(void *tensor, const void *data, size_t offset, size_t size)'),
    operation: (name) => {
      for (let op = 0; op < 200; op++) if (nameOf(op) === name) return op
      throw new Error(`ggml has no operation ${name}`)
    },
    register: (called) => koffi.register(called, koffi.pointer(callback)),
  }
  return declared
}

/** `count` floats at `at`, copied: the memory is llama.cpp's and changes with the next batch. */
export const floatsAt = (at: Pointer, count: number): Float32Array => koffi.decode(at, 'float', count) as Float32Array
