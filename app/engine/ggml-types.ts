// Owns what a GGUF tensor type number means: its name and how many bytes a block of values takes (ggml's own table, llama.cpp v0.4.0).

export interface TensorType {
  name: string
  /** Values in a block. */
  block: number
  /** Bytes of a block. */
  bytes: number
}
const t = (name: string, block: number, bytes: number): TensorType => ({ name, block, bytes })

export const tensorTypes: ReadonlyMap<number, TensorType> = new Map([
  [0, t('F32', 1, 4)],
  [1, t('F16', 1, 2)],
  [2, t('Q4_0', 32, 18)],
  [3, t('Q4_1', 32, 20)],
  [6, t('Q5_0', 32, 22)],
  [7, t('Q5_1', 32, 24)],
  [8, t('Q8_0', 32, 34)],
  [9, t('Q8_1', 32, 36)],
  [10, t('Q2_K', 256, 84)],
  [11, t('Q3_K', 256, 110)],
  [12, t('Q4_K', 256, 144)],
  [13, t('Q5_K', 256, 176)],
  [14, t('Q6_K', 256, 210)],
  [15, t('Q8_K', 256, 292)],
  [16, t('IQ2_XXS', 256, 66)],
  [17, t('IQ2_XS', 256, 74)],
  [18, t('IQ3_XXS', 256, 98)],
  [19, t('IQ1_S', 256, 50)],
  [20, t('IQ4_NL', 32, 18)],
  [21, t('IQ3_S', 256, 110)],
  [22, t('IQ2_S', 256, 82)],
  [23, t('IQ4_XS', 256, 136)],
  [24, t('I8', 1, 1)],
  [25, t('I16', 1, 2)],
  [26, t('I32', 1, 4)],
  [27, t('I64', 1, 8)],
  [28, t('F64', 1, 8)],
  [29, t('IQ1_M', 256, 56)],
  [30, t('BF16', 1, 2)],
  [34, t('TQ1_0', 256, 54)],
  [35, t('TQ2_0', 256, 66)],
  [39, t('MXFP4', 32, 17)],
])

/** ggml's number of the type called `name` ("Q8_0", in any case), or undefined. */
export function typeIdOf(name: string): number | undefined {
  const wanted = name.toUpperCase()
  for (const [id, type] of tensorTypes) if (type.name === wanted) return id
  return undefined
}

/** llama.cpp's numbers for a file that is mostly of one type (llama_ftype); other programs show them. */
const FILE_TYPES: Readonly<Record<string, number>> = {
  ...{ F32: 0, F16: 1, BF16: 32, Q8_0: 7, Q6_K: 18, Q5_K: 17, Q5_1: 9, Q5_0: 8, Q4_K: 15, Q4_1: 3, Q4_0: 2 },
  ...{ IQ4_NL: 25, IQ4_XS: 30, Q3_K: 12, Q2_K: 10, IQ3_S: 26 },
}
/** The value of `general.file_type`; for a type that has none, that of F16, which readers take as "mixed". */
export const fileTypeOf = (name: string): number => FILE_TYPES[name] ?? 1

/** A readable mixture: the types that hold at least 2 % of the weights' bytes, largest first. */
export function mixture(bytesByType: ReadonlyMap<string, number>): string {
  const total = [...bytesByType.values()].reduce((sum, bytes) => sum + bytes, 0)
  const large = [...bytesByType].filter(([, bytes]) => bytes >= total * 0.02).sort((a, b) => b[1] - a[1])
  return large.map(([name]) => name).join(' + ')
}
