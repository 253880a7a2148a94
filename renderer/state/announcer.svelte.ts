// Owns what a screen reader is told without being asked: whole sentences and changes of stage, never tokens.
const KEEP = 6

export class Announcer {
  /** Newest last; each is read once, when it appears. */
  messages = $state.raw<readonly { id: number; text: string }[]>([])
  #next = 1

  say(text: string): void {
    if (text.trim() === '') return
    this.messages = [...this.messages.slice(1 - KEEP), { id: this.#next++, text }]
  }
}
