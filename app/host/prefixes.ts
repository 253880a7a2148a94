// Owns the prompts that are read ahead in quiet times: which category's state is at hand, the warm-up that sees to it, and its end when somebody asks.
import { categories, type Category, type EngineStatus } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import type { Log } from '../base/log.ts'
import { compose, type PromptProfile, type Prompts } from '../ask/prompt.ts'
import type { EngineSupervisor } from './engine-process.ts'

/** none: the engine keeps no state of it, so there is nothing to wait for. */
type State = NonNullable<EngineStatus['prefixes']>[number]['state'] | 'none'
const LOADED: ReadonlySet<string> = new Set(['ready', 'answering'])

export class Prefixes {
  readonly #supervisor: EngineSupervisor
  readonly #prompts: Prompts | null
  readonly #log: Log
  readonly #changed: () => void
  /** Another map for each load: what a warm-up of the one before still says is not of this one. */
  #states = new Map<Category, State>()
  #profile: PromptProfile = 'question-only'
  #stop: AbortController | null = null
  /** The engine died while it read ahead: what only saves time must not cost the answers. */
  #givenUp = false
  /** Since the shapes were last warmed: new ones may be common now. */
  #asked = true

  /** `prompts`: null where nothing is read ahead. `changed` is called when status() is another one. */
  constructor(parts: { supervisor: EngineSupervisor; prompts: Prompts | null; log: Log; changed: () => void }) {
    this.#supervisor = parts.supervisor
    this.#prompts = parts.prompts
    this.#log = parts.log
    this.#changed = parts.changed
    this.#supervisor.onStatus(() => {
      // whatever is loaded next has not said yet what it has; states on the disk are found in no time
      if (!LOADED.has(this.#supervisor.status().phase)) this.#states = new Map()
    })
  }

  /** A person has chosen this model, or has it loaded anew: everything may be tried again. */
  begin(profile: PromptProfile): void {
    this.#stop?.abort()
    this.#states = new Map()
    this.#profile = profile
    this.#givenUp = false
    this.#asked = true
  }

  /** Absent for a model that gets no system prompt, and where the engine keeps no states. */
  status(): EngineStatus['prefixes'] {
    const kept = this.#own().flatMap((category) => {
      const state = this.#of(category)
      return state === 'none' ? [] : [{ category, state }]
    })
    return kept.length > 0 ? kept : undefined
  }

  /** Somebody asks, or another model comes: the engine is free within 100 ms. True when a warm-up was under way. */
  stop(): boolean {
    this.#asked = true
    this.#stop?.abort()
    return this.#stop !== null
  }

  /**
   * Has the states of all categories read that are not at hand, and on a card the batch shapes that have become common. Resolves when that is
   * done or stopped; what was read is found again by the next call. Throws what the engine says, but for its own end.
   */
  async warm(): Promise<void> {
    const waiting = this.#own().filter((category) => this.#of(category) === 'waiting')
    // a processor computes every shape with the same code
    const shapes = this.#asked && this.#supervisor.status().gpuLayers > 0
    if (this.#stop || this.#givenUp || (waiting.length === 0 && !shapes)) return
    const stop = (this.#stop = new AbortController())
    const states = this.#states
    const prefixes = waiting.map((category) => ({ id: category, messages: this.#beginning(category) }))
    try {
      for await (const event of this.#supervisor.warm({ prefixes, shapes }, stop.signal)) {
        if (event.type === 'prefix') this.#set(states, event.id, 'working')
        else if (event.type === 'warm') this.#set(states, event.id, event.from === 'none' ? 'none' : 'ready')
        else if (event.type === 'done' && !event.stopped) this.#asked = false
      }
      if (!stop.signal.aborted) this.#log.info('prompts read ahead', { ready: this.#own().filter((category) => this.#of(category) === 'ready') })
    } catch (error) {
      if (stop.signal.aborted) return
      if (AppError.wire(error).code !== 'ENGINE_LOST') throw error
      this.#givenUp = true
      this.#log.warn('engine lost while it read prompts ahead, which is left until the model is chosen again', {})
    } finally {
      this.#stop = null
      for (const [category, state] of states) if (state === 'working') states.delete(category)
      this.#changed()
    }
  }

  #own(): readonly Category[] {
    return this.#prompts && this.#profile === 'full' && !this.#givenUp ? categories : []
  }

  #of(category: Category): State {
    return this.#states.get(category) ?? 'waiting'
  }

  /** All that stands before what a person asks. */
  #beginning(category: Category) {
    return compose({ prompts: this.#prompts!, category, profile: 'full', history: [], question: '' }).slice(0, -1)
  }

  #set(states: Map<Category, State>, id: string, state: State): void {
    const category = categories.find((one) => one === id)
    if (!category || states.get(category) === state) return
    states.set(category, state)
    this.#changed()
  }
}
