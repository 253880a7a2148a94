// Owns where things lie: the same rule in both hosts, in the terminal and under test.
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Paths {
  /** Database, settings, logs. Private to this user. */
  readonly data: string
  readonly database: string
  readonly logs: string
  /** Where a user or an IT department puts GGUF files. */
  readonly models: string
  /** Read-only files of the program: catalog.json, prompts/, terms/, starter/. */
  readonly resources: string
  /** The built page. */
  readonly page: string
  /** The script that an engine process runs. */
  readonly engineEntry: string
  /** The script of a process that looks at the hardware and is thrown away. */
  readonly probeEntry: string
}

const here = dirname(fileURLToPath(import.meta.url))
/** True when this file runs as TypeScript source (tests, workshop) rather than from the bundle in out/app. */
const fromSource = import.meta.url.endsWith('.ts')

/** `root` is the project or, in a package, the folder that holds `out`. RUSHLIGHT_DATA names another data folder. */
export function resolvePaths(options: { data?: string; resources?: string } = {}): Paths {
  const root = join(here, '..', '..')
  const data = options.data ?? process.env['RUSHLIGHT_DATA'] ?? defaultData()
  return {
    data,
    database: join(data, 'rushlight.db'),
    logs: join(data, 'logs'),
    models: join(data, 'models'),
    resources: options.resources ?? join(root, 'models'),
    page: join(root, 'out', 'renderer'),
    engineEntry: fromSource ? join(root, 'app', 'engine', 'entry.ts') : join(here, 'engine.js'),
    probeEntry: fromSource ? join(root, 'app', 'engine', 'probe-entry.ts') : join(here, 'probe.js'),
  }
}

function defaultData(): string {
  const home = homedir()
  if (process.platform === 'win32') return join(process.env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'Rushlight')
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'Rushlight')
  return join(process.env['XDG_DATA_HOME'] || join(home, '.local', 'share'), 'rushlight')
}
