// Owns the list of earlier questions: what the rail shows, the search in it, and what can be done to one of them.
import type { Conversation, ConversationHit } from '../../app/contract/entities.ts'
import type { PageClient } from './page.ts'

const SEARCH_WAIT_MS = 150
const LIMIT = 1000

export class Conversations {
  list = $state.raw<readonly ConversationHit[]>([])
  /** What is typed in the search field. */
  search = $state('')
  /** What `list` was found with; '' for all. */
  found = $state('')
  loaded = $state(false)
  readonly #client: PageClient
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = 0

  constructor(client: PageClient) {
    this.#client = client
  }

  /** Reads the list. A slower, older answer never replaces a newer one. */
  async refresh(): Promise<void> {
    const asked = ++this.#asked
    const search = this.search.trim()
    const list = await this.#client.call('conversation.list', { ...(search === '' ? {} : { search }), limit: LIMIT })
    if (asked !== this.#asked) return
    this.list = list
    this.found = search
    this.loaded = true
  }

  setSearch(text: string, onError: (error: unknown) => void): void {
    this.search = text.slice(0, 200)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh().catch(onError), text === '' ? 0 : SEARCH_WAIT_MS)
  }

  /** Puts a conversation that has just changed at the top, without asking the host for the whole list. */
  touch(conversation: Conversation): void {
    if (this.found !== '') return
    this.list = [{ ...conversation, snippet: null }, ...this.list.filter(({ id }) => id !== conversation.id)]
  }

  /** Says how a conversation's last answer ended, when the host could not. */
  mark(id: string, lastStatus: ConversationHit['lastStatus']): void {
    this.list = this.list.map((hit) => (hit.id === id ? { ...hit, lastStatus } : hit))
  }

  async rename(id: string, title: string): Promise<void> {
    const renamed = await this.#client.call('conversation.rename', { id, title })
    this.list = this.list.map((hit) => (hit.id === id ? { ...renamed, snippet: hit.snippet } : hit))
  }

  async remove(id: string): Promise<void> {
    await this.#client.call('conversation.delete', { id })
    this.list = this.list.filter((hit) => hit.id !== id)
  }

  /** A Markdown file with the whole conversation. */
  export(id: string): Promise<{ fileName: string; markdown: string }> {
    return this.#client.call('conversation.export', { id })
  }
}
