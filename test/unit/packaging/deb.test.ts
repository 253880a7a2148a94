// Owns the test of the Debian package: silent installation into a root of its own, start, an answer of app.info, the engine's libraries, removal without a trace.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildDeb, hasDpkgDeb } from '../../../app/packaging/deb.ts'
import { createBom } from '../../../app/packaging/sbom.ts'
import { filesUnder } from '../../../app/packaging/stage.ts'
import { root, stageHere, target, type Staged } from './staged.ts'

const able = process.platform === 'linux' && hasDpkgDeb() && spawnSync('dpkg', ['--version'], { stdio: 'ignore' }).status === 0
const MINUTES = 10 * 60_000

describe.skipIf(!able)('the Debian package (needs dpkg)', () => {
  let staged: Staged
  let file: string
  let machine: string
  beforeAll(() => {
    staged = stageHere()
    const { home, folder, plan } = staged
    const sbom = join(home, 'sbom.json')
    writeFileSync(sbom, JSON.stringify(createBom(root, target, plan, '2026-01-01T00:00:00.000Z')))
    const icon = join(root, 'renderer', 'icon.svg')
    const { manifest } = plan
    file = buildDeb({ staged: folder, work: join(home, 'tree'), out: home, sbom, icon, manifest, compression: 'none' })
    machine = join(home, 'machine')
    for (const part of ['updates', 'info', 'triggers']) mkdirSync(join(machine, 'var/lib/dpkg', part), { recursive: true })
    for (const part of ['status', 'available']) writeFileSync(join(machine, 'var/lib/dpkg', part), '')
  }, MINUTES)
  afterAll(() => staged?.remove(), MINUTES)

  /** dpkg on a root that holds nothing else: no libraries to depend on, no shell to change into. */
  function dpkg(...args: string[]) {
    const quiet = ['--force-script-chrootless', '--force-depends', '--force-not-root', '--log=/dev/null']
    return spawnSync('dpkg', [`--root=${machine}`, ...quiet, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const left = () => filesUnder(machine).filter((path) => !path.startsWith('var/'))

  it('states its name, version and needs, asks nothing and holds no configuration file', () => {
    const field = (name: string) => spawnSync('dpkg-deb', ['--field', file, name], { encoding: 'utf8' }).stdout.trim()
    expect([field('Package'), field('Version'), field('Architecture')]).toEqual(['rushlight', staged.plan.manifest.version, 'amd64'])
    expect(Number(field('Installed-Size'))).toBeGreaterThan(100_000)
    expect(spawnSync('dpkg-deb', ['--info', file, 'conffiles'], { encoding: 'utf8' }).status).not.toBe(0)
    const list = spawnSync('dpkg-deb', ['--contents', file], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 }).stdout
    expect(list).toMatch(/drwxr-xr-x root\/root .* \.\/etc\/rushlight\//)
    expect(list).toMatch(/-rwxr-xr-x root\/root .* \.\/usr\/bin\/rushlight\n/)
    // nobody but the administrator may change what everybody runs
    expect(list.split('\n').filter((line) => /^.{5}w|^.{8}w/.test(line) && !line.startsWith('l'))).toEqual([])
  })

  it(
    'is installed, loads its engine, answers app.info, ends when it is removed, and leaves only what a user wrote',
    { timeout: MINUTES },
    async () => {
      expect(dpkg('--install', file).status).toBe(0)
      const sums = readFileSync(join(machine, 'var/lib/dpkg/info/rushlight.md5sums'), 'utf8').trim().split('\n')
      expect(sums.length).toBe(left().length)
      for (const line of sums.filter((one) => !one.includes('node_modules'))) {
        const [sum, path] = line.split('  ') as [string, string]
        expect(
          createHash('md5')
            .update(readFileSync(join(machine, path)))
            .digest('hex'),
        ).toBe(sum)
      }

      const data = join(staged.home, 'data')
      const launcher = join(machine, 'usr/bin/rushlight')
      // the engine's and SQLite's binaries load from where the package has laid them
      const natives = `
      const { getLlama } = await import('node-llama-cpp')
      const { default: Database } = await import('better-sqlite3')
      const llama = await getLlama({ build: 'never', gpu: false })
      console.log('engine', llama.gpu, 'sqlite', new Database(':memory:').prepare('select 1 + 1').pluck().get())
      process.exit(0)`
      const home = join(machine, 'opt/rushlight')
      // a file beside the program: the engine's own test process starts with the options of its parent, and --eval is none for it
      const script = join(home, 'natives.mjs')
      writeFileSync(script, natives)
      const loaded = spawnSync(join(home, 'runtime/node'), [script], { cwd: home, encoding: 'utf8' })
      rmSync(script)
      expect(loaded.stdout).toContain('engine false sqlite 2')

      const env = { ...process.env, NODE_OPTIONS: '--no-such-option' }
      const host = spawn(launcher, ['--no-window', '--data', data], { stdio: ['ignore', 'pipe', 'inherit'], env })
      const ended = new Promise<number | null>((resolve) => host.once('exit', resolve))
      let said = ''
      host.stdout.on('data', (text: Buffer) => (said += text.toString()))
      const address = () => /(http:\/\/127\.0\.0\.1:\d+)\/#open=([\w-]+)/.exec(said)
      await expect.poll(address, { timeout: 5 * 60_000 }).toBeTruthy()
      const [, origin, open] = address()!
      const post = async (path: string, body: unknown, token = '') => {
        const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }
        return (await (await fetch(`${origin}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as unknown
      }
      const { token } = (await post('session', { open })) as { token: string }
      const info = await post('call/app.info', { input: null }, token)
      expect(info).toMatchObject({ ok: true, data: { version: staged.plan.manifest.version, host: 'loopback', dataFolder: data } })

      writeFileSync(join(machine, 'etc/rushlight/policy.json'), '{"emergencyNumber":"999"}')
      expect(dpkg('--remove', 'rushlight').status).toBe(0)
      expect(await ended).toBe(0)
      expect(left()).toEqual(['etc/rushlight/policy.json'])
      expect(dpkg('--purge', 'rushlight').status).toBe(0)
      expect(left()).toEqual([])
      for (const part of ['opt', 'usr', 'etc']) expect(existsSync(join(machine, part))).toBe(false)
      // conversations belong to the user
      expect(existsSync(join(data, 'rushlight.db'))).toBe(true)
    },
  )
})
