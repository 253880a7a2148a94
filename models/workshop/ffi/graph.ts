// Owns the view into a running graph: ggml_tensor as the scheduler's callback gets it, the weights it finds there and the inputs of their products.
import koffi from 'koffi'
import { F32, llama, type Pointer } from './llama-api.ts'

/** Sums over all rows of input that a weight was multiplied with, as llama.cpp's importance matrix has them. */
export interface Importance {
  /** Per column of the weight: the sum of squares of its input. */
  readonly sums: Float64Array
  /** Rows of input; sums / rows is what the quantiser takes. */
  rows: number
}
interface Tensor {
  readonly name: string
  readonly type: number
  readonly ne: readonly number[]
  readonly nb: readonly number[]
  readonly src: readonly (Pointer | null)[]
}
/** ggml.h of this version. */
const NAME = 64

interface Layout {
  read(tensor: Pointer): Tensor
  operationOf(tensor: Pointer): number
  multiply: number
  multiplyByExpert: number
  lookUp: number
}
let found: Layout | undefined

function layout(): Layout {
  if (found) return found
  const api = llama()
  const struct = koffi.struct('ggml_tensor', {
    type: 'int',
    buffer: 'void *',
    ne: koffi.array('int64_t', 4, 'Array'),
    nb: koffi.array('size_t', 4, 'Array'),
    op: 'int',
    op_params: koffi.array('int32_t', 16),
    flags: 'int32_t',
    src: koffi.array('void *', 10),
    view_src: 'void *',
    view_offs: 'size_t',
    data: 'void *',
    name: koffi.array('char', NAME, 'String'),
    extra: 'void *',
    padding: koffi.array('char', 8),
  })
  const op = BigInt(koffi.offsetof(struct, 'op'))
  found = {
    read: (tensor) => {
      const raw = koffi.decode(tensor, struct) as Omit<Tensor, 'ne' | 'nb'> & { ne: (number | bigint)[]; nb: (number | bigint)[] }
      return { ...raw, ne: raw.ne.map(Number), nb: raw.nb.map(Number) }
    },
    operationOf: (tensor) => koffi.decode.int32(tensor + op),
    multiply: api.operation('MUL_MAT'),
    multiplyByExpert: api.operation('MUL_MAT_ID'),
    lookUp: api.operation('GET_ROWS'),
  }
  return found
}

/** A callback that notes where the tensors called `names` lie, while one graph runs: matrices of products and the embedding. */
export function weightFinder(names: ReadonlySet<string>, into: Map<string, Pointer>): (tensor: Pointer, ask: boolean) => boolean {
  const { read, operationOf, multiply, multiplyByExpert, lookUp } = layout()
  return (node, ask) => {
    if (!ask) return true
    const operation = operationOf(node)
    if (operation !== multiply && operation !== multiplyByExpert && operation !== lookUp) return false
    const weight = read(node).src[0]
    const name = weight ? read(weight).name : ''
    if (weight && names.has(name)) into.set(name, weight)
    return false
  }
}

/** A callback that adds up the importance of every matrix called one of `names`. Products by expert are not counted: no one row meets all of one. */
export function importanceCollector(names: ReadonlySet<string>, into: Map<string, Importance>): (tensor: Pointer, ask: boolean) => boolean {
  const { read, operationOf, multiply } = layout()
  return (node, ask) => {
    if (operationOf(node) !== multiply) return !ask
    const { src } = read(node)
    const [weight, input] = [src[0], src[1]]
    const name = weight ? read(weight).name : ''
    if (!input || !names.has(name)) return !ask
    const { type, ne, nb } = read(input)
    if (type !== F32) return !ask
    if (!ask) add(name, input, ne, nb, into)
    return true
  }
}

function add(name: string, input: Pointer, ne: readonly number[], nb: readonly number[], into: Map<string, Importance>): void {
  const columns = ne[0]!
  const stride = nb[1]! / 4
  const rows = ne[1]! * ne[2]! * ne[3]!
  if (rows !== ne[1] && nb[2] !== ne[1]! * nb[1]!) throw new Error(`the input of ${name} does not lie in one piece`)
  const bytes = new Uint8Array((stride * (rows - 1) + columns) * 4)
  llama().readTensor(input, bytes, 0, bytes.length)
  const values = new Float32Array(bytes.buffer)
  let importance = into.get(name)
  if (!importance) into.set(name, (importance = { sums: new Float64Array(columns), rows: 0 }))
  const { sums } = importance
  for (let row = 0; row < rows; row++)
    for (let at = row * stride, column = 0; column < columns; column++, at++) sums[column]! += values[at]! * values[at]!
  importance.rows += rows
}
