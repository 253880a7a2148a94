// Owns where tests find model files: the starter that ships, and a second tiny model of another family that lies beside the project on some machines.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const near = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Qwen2 architecture, Q8_0, ChatML, 1,024 tokens of context. */
export const starter = near('models/starter/rushlight-starter-q8.gguf')
/** Llama architecture, F32, 512 tokens of context, writes stories without end; null where it is absent. */
export const stories = existsSync(near('../shared/models/stories260K-f32.gguf')) ? near('../shared/models/stories260K-f32.gguf') : null
export const withoutStories = 'needs stories260K-f32.gguf, which is not part of the project and not on this machine'
