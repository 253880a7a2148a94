// Owns the contract over Electron's IPC: one channel each way, one port for each document, and the test of who is speaking.
import type { IpcMain, IpcMainEvent, WebContents } from 'electron'
import type { Contract } from '../contract/define.ts'
import type { Port } from '../contract/port.ts'
import { servePort } from '../base/port-server.ts'
import type { Router } from '../base/router.ts'
import { isOwnUrl } from './app-scheme.ts'

/** A document being served. `page` is the name that its preload gave it. */
interface Served {
  page: string
  receive(message: unknown): void
  close(): void
}

export interface IpcListeners {
  /** A trusted document has spoken for the first time. */
  onPage?: () => void
  /** A message from anyone else was dropped; it gets no answer. */
  onRefused?: () => void
}

/** Serves every trusted document that speaks, until it is gone. */
export function serveIpc<C extends Contract>(ipc: Pick<IpcMain, 'on'>, router: Router<C>, listeners: IpcListeners = {}): void {
  const served = new Map<number, Served>()
  const known = new WeakSet<WebContents>()
  const gone = new Set<string>()

  ipc.on('rushlight:in', (event, page: unknown, message: unknown) => {
    if (!isTrusted(event) || typeof page !== 'string') return listeners.onRefused?.()
    const { sender } = event
    const { id } = sender
    if (!known.has(sender)) {
      known.add(sender)
      closeWithDocument(sender, served)
    }
    const before = served.get(id)
    if (before?.page !== page) {
      // a message that its document sent just before it was replaced
      if (gone.has(page)) return
      // a new document: what the one before it left running has no reader any more
      if (before) gone.add(before.page)
      before?.close()
      served.set(id, open(router, sender, page))
      listeners.onPage?.()
    }
    served.get(id)?.receive(message)
  })
}

/** Only the top frame of a window that shows our own page. Asked before the message is looked at. */
function isTrusted({ senderFrame }: IpcMainEvent): boolean {
  return senderFrame !== null && senderFrame.parent === null && isOwnUrl(senderFrame.url)
}

function open<C extends Contract>(router: Router<C>, contents: WebContents, page: string): Served {
  let receive = (_message: unknown): void => {}
  let closed = (): void => {}
  let isOpen = true
  const port: Port = {
    post: (message) => {
      if (isOpen && !contents.isDestroyed()) contents.send('rushlight:out', page, message)
    },
    listen: (onMessage, onClose = () => {}) => {
      receive = onMessage
      closed = onClose
      return () => void (receive = () => {})
    },
  }
  const stop = servePort(router, port)
  return {
    page,
    receive: (message) => receive(message),
    close: () => {
      isOpen = false
      closed()
      stop()
    },
  }
}

/** Closes the port when its document is gone: window closed, process ended, or another document in its place. */
function closeWithDocument(contents: WebContents, served: Map<number, Served>): void {
  // after destruction a WebContents may not be asked for its id
  const { id } = contents
  const close = (which: Served | undefined) => {
    if (which && served.get(id) === which) served.delete(id)
    which?.close()
  }
  let leaving: Served | undefined
  contents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
    // only noted here: a navigation that is refused starts too, and the new document may speak before did-navigate
    if (isMainFrame && !isSameDocument) leaving = served.get(id)
  })
  contents.on('did-navigate', () => close(leaving))
  contents.on('render-process-gone', () => close(served.get(id)))
  contents.on('destroyed', () => close(served.get(id)))
}
