// Owns the way from messages to the tokens of a prompt in the model's own chat format, and what ends an answer in it.
import type { ChatHistoryItem, ChatWrapper, LlamaModel, LlamaText, Token } from './llama.ts'
import type { Message } from '../contract/engine.ts'

/** What ends an answer beside the end-of-generation tokens: single tokens, and texts that the model may write in several. */
export interface Stops {
  tokens: ReadonlySet<Token>
  texts: readonly string[]
}

/** What a person may begin with. Tokens that stand before all of these alike stand before everything. */
const BEGINNINGS = ['A', '7', '\n\n', 'é']

export class ChatFormat {
  readonly #model: LlamaModel
  readonly #wrapper: ChatWrapper
  readonly #text: typeof LlamaText

  constructor(model: LlamaModel, wrapper: ChatWrapper, text: typeof LlamaText) {
    this.#model = model
    this.#wrapper = wrapper
    this.#text = text
  }

  /**
   * Tokens of the whole prompt. What a person wrote is plain text inside it and is tokenised without control tokens, so `<|im_end|>` in a
   * question stays ten characters and not the end of the turn.
   */
  tokenize(messages: readonly Message[]): Token[] {
    return this.#tokens(this.#compose(messages))
  }

  /** The prompt and what ends its answer. */
  compose(messages: readonly Message[]): { prompt: Token[]; stops: Stops } {
    const composed = this.#compose(messages)
    const triggers = composed.stopGenerationTriggers.map((trigger) => this.#text(trigger).tokenize(this.#model.tokenizer))
    return {
      prompt: this.#tokens(composed),
      stops: {
        tokens: new Set(triggers.filter(({ length }) => length === 1).map(([token]) => token!)),
        texts: triggers.filter(({ length }) => length > 1).map((trigger) => this.#model.detokenize(trigger, true)),
      },
    }
  }

  /** The tokens that every prompt begins with in which `messages` stand before a question, whatever the question is. */
  prefix(messages: readonly Message[]): Token[] {
    const [first, ...others] = BEGINNINGS.map((text) => this.tokenize([...messages, { role: 'user', text }]))
    let length = first!.length
    for (const other of others) while (!other.slice(0, length).every((token, at) => token === first![at])) length--
    return first!.slice(0, Math.min(length, ...others.map((other) => other.length)))
  }

  #compose(messages: readonly Message[]) {
    // Qwen's tokeniser begins with this step, llama.cpp's leaves it out; for every other it changes nothing that can be seen
    const chatHistory: ChatHistoryItem[] = messages.map(({ role, text: typed }) => {
      const text = typed.normalize('NFC')
      return role === 'assistant' ? { type: 'model', response: [text] } : { type: role, text }
    })
    // the empty answer is where the model begins to write
    return this.#wrapper.generateContextState({ chatHistory: [...chatHistory, { type: 'model', response: [''] }] })
  }

  #tokens({ contextText }: ReturnType<ChatWrapper['generateContextState']>): Token[] {
    const tokens = contextText.tokenize(this.#model.tokenizer)
    // the wrapper always begins with BOS; a model whose header forbids it was trained without
    const { bos, shouldPrependBosToken } = this.#model.tokens
    return bos !== null && tokens[0] === bos && !shouldPrependBosToken ? tokens.slice(1) : tokens
  }
}
