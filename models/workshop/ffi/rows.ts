// Owns turning rows of weights from any ggml type to F32 and back, through ggml's own functions: bit for bit what llama.cpp's quantiser writes.
import koffi, { type KoffiFunc } from 'koffi'
import { AppError } from '../../../app/contract/errors.ts'
import { tensorTypes } from '../../../app/engine/ggml-types.ts'
import { libraries } from './library.ts'

type Fn = KoffiFunc<(...args: unknown[]) => unknown>
const F32 = 0
const nameOf = (type: number) => tensorTypes.get(type)?.name ?? `type ${type}`

interface Functions {
  chunk: Fn
  init: Fn
  needsImportance: Fn
  validate: Fn
  toFloat: Map<number, Fn | null>
  traits: Fn
}
let functions: Functions | undefined

function ggml(): Functions {
  if (functions) return functions
  const { base } = libraries()
  // of this version; all that is used of it is the function that gives F32
  koffi.struct('ggml_type_traits', {
    type_name: 'const char *',
    blck_size: 'int64_t',
    blck_size_interleave: 'int64_t',
    type_size: 'size_t',
    is_quantized: 'bool',
    to_float: 'void *',
    from_float_ref: 'void *',
  })
  functions = {
    chunk: base.func(
      'size_t ggml_quantize_chunk(int type, const float *src, void *dst, int64_t start, int64_t nrows, int64_t n_per_row, const float *imatrix)',
    ),
    init: base.func('void ggml_quantize_init(int type)'),
    needsImportance: base.func('bool ggml_quantize_requires_imatrix(int type)'),
    validate: base.func('bool ggml_validate_row_data(int type, const void *data, size_t nbytes)'),
    traits: base.func('const ggml_type_traits *ggml_get_type_traits(int type)'),
    toFloat: new Map(),
  }
  return functions
}

/** Whether ggml refuses to quantise to `type` without an importance matrix (the 1- and 2-bit types). */
export function needsImportance(type: number): boolean {
  return ggml().needsImportance(type) as boolean
}

/**
 * `bytes` of whole rows as F32, `values` of them. Runs on a thread of its own, so that a bar can move and Ctrl-C is heard.
 * Throws SOURCE_UNSUPPORTED for a type that ggml cannot read back.
 */
export async function dequantise(type: number, bytes: Uint8Array, values: number): Promise<Float32Array> {
  if (type === F32) return aligned(bytes, values)
  const convert = toFloat(type)
  const out = new Float32Array(values)
  await call(convert, bytes, out, values)
  return out
}

/**
 * Rows of F32 as `type`. `rowLength` must be a multiple of the type's block; `importance`, one weight per column, is what the
 * importance matrix says. The source is not checked for NaN: `finite` does that.
 */
export async function quantise(type: number, values: Float32Array, rowLength: number, importance?: Float32Array | null): Promise<Uint8Array> {
  const known = tensorTypes.get(type)
  if (!known || rowLength % known.block !== 0) throw new RangeError(`rows of ${rowLength} values cannot be ${nameOf(type)}`)
  const { chunk, init } = ggml()
  init(type)
  const out = new Uint8Array((values.length / known.block) * known.bytes)
  await call(chunk, type, values, out, 0, values.length / rowLength, rowLength, importance ?? null)
  return out
}

/** Whether every value is a finite number: NaN and infinity give nonsense in every type. */
export function finite(values: Float32Array): boolean {
  // nothing times zero is anything but zero, except for what is no number
  let sum = 0
  for (let n = 0; n < values.length; n++) sum += values[n]! * 0
  return sum === 0
}

/** ggml's own test of quantised data: its scales must be finite. */
export async function valid(type: number, bytes: Uint8Array): Promise<boolean> {
  return (await call(ggml().validate, type, bytes, bytes.length)) as boolean
}

function toFloat(type: number): Fn {
  const { traits, toFloat: known } = ggml()
  if (!known.has(type)) {
    const found = koffi.decode(traits(type), 'ggml_type_traits') as { to_float: unknown }
    const pointer = found.to_float
    const proto = pointer ? koffi.proto(`void ggml_to_float_${type}(const void *x, _Out_ float *y, int64_t k)`) : null
    known.set(type, proto ? (koffi.decode(pointer, proto) as Fn) : null)
  }
  const found = known.get(type)
  if (!found) throw new AppError('SOURCE_UNSUPPORTED', `Weights of type ${nameOf(type)} cannot be read back. Use a source in F16, BF16, F32 or Q8_0.`)
  return found
}

/** The same bytes as floats, copied only where they do not begin on a multiple of four. */
function aligned(bytes: Uint8Array, values: number): Float32Array {
  if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, values)
  return new Float32Array(bytes.slice().buffer, 0, values)
}

function call(fn: Fn, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    fn.async(...args, (error: unknown, result: unknown) => (error ? reject(error as Error) : resolve(result)))
  })
}
