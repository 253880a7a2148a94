// Types of electron.mjs for the tests; the file itself must run on a bare Node.
export function electronBinary(options?: { env?: NodeJS.ProcessEnv; platform?: NodeJS.Platform; folder?: string }): string | null
export function fetchElectron(options: {
  log: (text: string) => void
  force?: boolean
  env?: NodeJS.ProcessEnv
  folder?: string
  node?: string
  silenceMs?: number
  now?: () => number
}): Promise<{ ok: true; path: string } | { ok: false; reason: string }>
export function explain(errors: string): string
