// Owns which adapters are in effect on a context: checked once, switched without a reload, and named by what they are and not by their path.
import type { Adapter } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import { inspectAdapter } from './adapter.ts'
import { fingerprint } from './fingerprint.ts'
import type { LlamaContext } from './llama.ts'

/** node-llama-cpp has this for itself only; 0.02–0.07 ms once an adapter is loaded, and its version is pinned. */
type WithSwitch = { _setLoras?(adapters: readonly { filePath: string; scale: number }[]): Promise<void> }

/** Adapters that differ by order only are the same; one at scale 0 is none. For the scheduler: equal keys may run at once. */
export function adapterGroup(adapters: readonly Adapter[]): string {
  const used = adapters.filter(({ scale }) => scale !== 0).sort((a, b) => (a.path < b.path ? -1 : 1))
  return used.length === 0 ? '' : JSON.stringify(used.map(({ path, scale }) => [path, scale]))
}

export class AdapterSwitch {
  readonly #context: LlamaContext & WithSwitch
  readonly #model: string
  readonly #loaded: ReadonlySet<string>
  /** Path → what the file is. Adapters stay loaded until the model goes, so that a file that changes meanwhile is not looked at again. */
  readonly #known = new Map<string, string>()
  /** Null: not known, as the last switch failed. */
  #group: string | null

  /** `model` is the path of the model; `loaded` are in effect on the context and were compared with it already. */
  constructor(context: LlamaContext, model: string, loaded: readonly Adapter[]) {
    this.#context = context as LlamaContext & WithSwitch
    this.#model = model
    this.#loaded = new Set(loaded.map(({ path }) => path))
    this.#group = adapterGroup(loaded)
  }

  /**
   * Puts these in effect and resolves to their name: contents and scales. Nothing else may be evaluated meanwhile. Throws ADAPTER_MISMATCH or
   * MODEL_* and leaves those that were in effect, unless llama.cpp itself failed: then the next call sets all anew.
   */
  async use(adapters: readonly Adapter[]): Promise<string> {
    for (const { path } of adapters) {
      if (this.#known.has(path)) continue
      if (!this.#loaded.has(path)) await inspectAdapter(path, this.#model)
      this.#known.set(path, await fingerprint(path))
    }
    const used = adapters.filter(({ scale }) => scale !== 0)
    const group = adapterGroup(adapters)
    if (group !== this.#group) {
      this.#group = null
      if (!this.#context._setLoras) throw new AppError('INTERNAL', 'This engine cannot switch adapters while it runs. Reinstall Rushlight.')
      try {
        await this.#context._setLoras(used.map(({ path, scale }) => ({ filePath: path, scale })))
      } catch (error) {
        const sentence = 'The engine refused the adapter. Use the base model that it was trained on.'
        throw new AppError('ADAPTER_MISMATCH', sentence, undefined, error)
      }
      this.#group = group
    }
    const named = used.map(({ path, scale }) => `${this.#known.get(path)} ${scale}`)
    return named.sort().join('\n')
  }
}
