// Owns what the loopback serves without a token: the built page's own files, read once, nothing outside their folder.
import { readFileSync, readdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join, relative, sep } from 'node:path'
import { contentType } from './csp.ts'

const folders = new Map<string, Map<string, Buffer>>()

/** Looks the path up in a list of the folder's files: a path that climbs out of it cannot be in the list. */
export function sendPageFile(folder: string, path: string, request: IncomingMessage, response: ServerResponse): void {
  const body = request.method === 'GET' || request.method === 'HEAD' ? files(folder).get(path === '/' ? '/index.html' : path) : undefined
  if (!body) {
    response.statusCode = 404
    response.end()
    return
  }
  response.setHeader('Content-Type', contentType(path === '/' ? 'index.html' : path))
  response.setHeader('Content-Length', body.length)
  response.end(request.method === 'HEAD' ? undefined : body)
}

function files(folder: string): Map<string, Buffer> {
  const known = folders.get(folder)
  if (known) return known
  const found = new Map<string, Buffer>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.map')) continue
    const path = join(entry.parentPath, entry.name)
    found.set('/' + relative(folder, path).split(sep).join('/'), readFileSync(path))
  }
  folders.set(folder, found)
  return found
}
