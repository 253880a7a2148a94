// Owns where in the program the window is: the fragment of the address, so that Back and a reload do what a person expects.
export type View = 'ask' | 'helpers' | 'models' | 'hardware' | 'settings'
const views: readonly string[] = ['ask', 'helpers', 'models', 'hardware', 'settings']

export class Route {
  view = $state<View>('ask')
  /** Open conversation; null for a new question. Its id says nothing about a patient. */
  conversation = $state<string | null>(null)

  constructor() {
    this.#read()
  }

  /** Follows Back and Forward; returns the end of it. */
  follow(onConversation: (id: string | null) => void): () => void {
    const hear = () => {
      const before = this.conversation
      this.#read()
      if (this.conversation !== before) onConversation(this.conversation)
    }
    addEventListener('hashchange', hear)
    return () => removeEventListener('hashchange', hear)
  }

  /** The address of a view, for a link. */
  href(view: View): string {
    return view === 'ask' && this.conversation !== null ? `#/ask/${this.conversation}` : `#/${view}`
  }

  go(view: View): void {
    location.hash = this.href(view)
    this.view = view
  }

  /** Names the conversation that is shown. `replace` when it is the same page that just got its name. */
  show(conversation: string | null, replace = false): void {
    this.conversation = conversation
    this.view = 'ask'
    const hash = this.href('ask')
    if (location.hash === hash) return
    if (replace) history.replaceState(null, '', hash)
    else location.hash = hash
  }

  #read(): void {
    const [, view = 'ask', id] = location.hash.split('/')
    this.view = views.includes(view) ? (view as View) : 'ask'
    if (this.view === 'ask') this.conversation = id !== undefined && /^[\w-]{1,64}$/.test(id) ? id : null
  }
}
