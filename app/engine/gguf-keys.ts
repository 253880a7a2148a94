// Owns the names of the keys that Rushlight adds to a GGUF file: what its weights descend from.

export const KEYS = {
  /** SHA-256 that names the original weights; every later form of them carries it. */
  weightsId: 'rushlight.weights_id',
  /** Of an adapter: the weights it was trained on. */
  baseWeightsId: 'rushlight.base_weights_id',
  /** Of a merged model: the id of the base's weights, the hash of the adapter. */
  mergedFrom: 'rushlight.merged_from',
  mergedScale: 'rushlight.merged_scale',
  recipe: 'rushlight.recipe',
  recipeSha256: 'rushlight.recipe_sha256',
} as const
