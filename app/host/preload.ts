// Owns the page's only way out of its sandbox: two functions, one channel each way. Built into one CommonJS file; imports electron only.
import { contextBridge, ipcRenderer } from 'electron'

// Names this document to the host, so that a reloaded page can never be handed an answer to its predecessor.
const page = crypto.randomUUID()

/** What the page finds as `window.rushlight`; contract/port.ts says what the messages mean. */
const bridge = {
  post: (message: unknown): void => ipcRenderer.send('rushlight:in', page, message),
  /** Calls `onMessage` for each message from the host until the returned function is called. */
  listen: (onMessage: (message: unknown) => void): (() => void) => {
    // the event stays here: it carries ipcRenderer
    const hear = (_event: unknown, to: unknown, message: unknown) => {
      if (to === page) onMessage(message)
    }
    ipcRenderer.on('rushlight:out', hear)
    return () => void ipcRenderer.off('rushlight:out', hear)
  },
}
export type Bridge = typeof bridge

contextBridge.exposeInMainWorld('rushlight', bridge)
