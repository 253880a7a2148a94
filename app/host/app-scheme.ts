// Owns app://rushlight/, the page's own address in Electron: its privileges, its files, and the test of whether an address is ours.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CustomScheme, Protocol } from 'electron'
import { contentType, securityHeaders } from './csp.ts'

const scheme = 'app'
const host = 'rushlight'
/** The address of the page. */
export const pageUrl = `${scheme}://${host}/`

/** To be registered before Electron is ready. `standard` and `secure` give the page an origin of its own, fetch and Web Crypto; nothing else is granted. */
export const pageScheme: CustomScheme = {
  scheme,
  privileges: {
    standard: true,
    secure: true,
    supportFetchAPI: true,
    bypassCSP: false,
    allowServiceWorkers: false,
    corsEnabled: false,
    stream: false,
    codeCache: false,
    allowExtensions: false,
  },
}

/** True for an address under app://rushlight/. URL.origin is no help: for a scheme of our own it is the string "null". */
export function isOwnUrl(address: string): boolean {
  const url = URL.parse(address)
  return url !== null && url.protocol === `${scheme}:` && url.host === host
}

/** True for a file that the page itself made in memory, such as an exported conversation. */
export function isOwnBlob(address: string): boolean {
  return address.startsWith('blob:') && isOwnUrl(address.slice('blob:'.length))
}

/** Serves the built page in `folder`. Reads on each request, because inside app.asar a listing is slower than a file. */
export function servePage(protocol: Pick<Protocol, 'handle'>, folder: string): void {
  protocol.handle(scheme, async ({ method, url }) => {
    const parts = isOwnUrl(url) && (method === 'GET' || method === 'HEAD') ? pageFile(new URL(url).pathname) : null
    const body = parts && (await readFile(join(folder, ...parts)).catch(() => null))
    if (!parts || !body) return new Response(null, { status: 404, headers: securityHeaders() })
    const headers = { ...securityHeaders(), 'Content-Type': contentType(parts.at(-1) ?? ''), 'Content-Length': String(body.length) }
    return new Response(method === 'HEAD' ? null : new Uint8Array(body), { headers })
  })
}

/** The steps from the page's folder to a file of it, or null for a path that could leave the folder or is no file of the page. */
export function pageFile(pathname: string): string[] | null {
  if (pathname === '/') return ['index.html']
  let path: string
  try {
    path = decodeURIComponent(pathname)
  } catch {
    return null
  }
  const parts = path.split('/').slice(1)
  // a list of what is allowed: no dot first, no separator of either system, no drive letter, no null byte
  const plain = parts.every((part) => /^[\w@-][\w.@-]*$/.test(part))
  return plain && parts.length > 0 && !path.endsWith('.map') ? parts : null
}
