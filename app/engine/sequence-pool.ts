// Owns the sequences of a context: which one serves a prompt, what each holds already, and when a stored state is read in place of it.
import type { LlamaContext, LlamaContextSequence, Token } from './llama.ts'
import { commonLength, type StateStore } from './state-store.ts'

export interface Lease {
  readonly sequence: LlamaContextSequence
  /** Tokens of the prompt that came from a stored state. */
  readonly restored: number
  end(): void
}
interface Slot {
  readonly sequence: LlamaContextSequence
  /** The adapters that its content was computed with. */
  adapters: string
  busy: boolean
  /** Counts up: the clock may stand still between two. */
  usedAt: number
}

/** So few tokens are read as fast as a file is. */
export const SHORTEST = 16

export class SequencePool {
  readonly #slots: Slot[]
  readonly #states: StateStore | null
  readonly #key: string
  #uses = 0

  /** Takes all sequences of `context`; `key` names what states must have been made with. */
  constructor(context: LlamaContext, states: StateStore | null, key: string) {
    this.#slots = Array.from({ length: context.totalSequences }, () => ({
      ...{ sequence: context.getSequence(), adapters: '', busy: false, usedAt: 0 },
    }))
    this.#states = states
    this.#key = key
  }

  /**
   * A sequence that nobody uses, holding as much of the beginning of `prompt` as can be had and nothing else; its last token is always left to
   * be evaluated, as it gives the logits. Whoever asks has waited until one is free.
   */
  async take(prompt: readonly Token[], adapters: string): Promise<Lease> {
    const body = prompt.slice(0, -1)
    const best = this.#states?.best(this.#key, adapters, body) ?? null
    const { slot, restore } = choose(this.#idle(), body, adapters, best?.common ?? 0)
    slot.busy = true
    slot.usedAt = ++this.#uses
    try {
      const restored = restore && best && (await this.#states!.restore(best.state, (path) => load(slot.sequence, path, best.state.tokens)))
      if (!restored && slot.adapters !== adapters) await slot.sequence.clearHistory()
      slot.adapters = adapters
      await slot.sequence.adaptStateToTokens(body, false)
      return { sequence: slot.sequence, restored: restored ? best.common : 0, end: () => void (slot.busy = false) }
    } catch (error) {
      slot.busy = false
      throw error
    }
  }

  /** The idle sequence whose content is the least loss, for work that is no prompt; its content must be left as it is. */
  borrow(): Lease {
    const slot = oldest(this.#idle())
    slot.busy = true
    return { sequence: slot.sequence, restored: 0, end: () => void (slot.busy = false) }
  }

  #idle(): Slot[] {
    return this.#slots.filter(({ busy }) => !busy)
  }
}

/** The tokens in the file are those of its facts, or it is not used. */
async function load(sequence: LlamaContextSequence, path: string, tokens: readonly number[]): Promise<void> {
  await sequence.loadStateFromFile(path, { acceptRisk: true })
  if (commonLength(sequence.contextTokens, tokens) === tokens.length && sequence.nextTokenIndex === tokens.length) return
  await sequence.clearHistory()
  throw new Error('another prompt')
}

/**
 * A conversation goes on in the sequence that holds it. A new one begins from a stored state in the sequence that was left alone longest, so that
 * others keep theirs, and from nothing where neither is much.
 */
function choose(idle: readonly Slot[], body: readonly Token[], adapters: string, stored: number): { slot: Slot; restore: boolean } {
  const held = (slot: Slot) => (slot.adapters === adapters ? commonLength(slot.sequence.contextTokens, body) : 0)
  const old = oldest(idle)
  const [own, common] = idle.map((slot) => [slot, held(slot)] as const).reduce((best, next) => (next[1] > best[1] ? next : best))
  const lost = own.sequence.nextTokenIndex - common
  if (stored > common + SHORTEST) return { slot: old, restore: true }
  // as good, and it would cost nobody what he has there
  if (stored + SHORTEST >= common && stored > SHORTEST && lost > SHORTEST && old !== own) return { slot: old, restore: true }
  return { slot: common >= SHORTEST || idle.length === 1 ? own : old, restore: false }
}

/** An empty one first. */
function oldest(idle: readonly Slot[]): Slot {
  const [first, ...others] = idle
  if (!first) throw new Error('no sequence is idle')
  const age = ({ sequence, usedAt }: Slot) => (sequence.nextTokenIndex === 0 ? -1 : usedAt)
  return others.reduce((best, slot) => (age(slot) < age(best) ? slot : best), first)
}
