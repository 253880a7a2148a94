// Owns `npm run check`: format, lint, types and the page's types, one line each, everything a failed one has said. Node built-ins only.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pinnedNode } from '../app/bootstrap/setup.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const tool = (...parts) => join(root, 'node_modules', ...parts)
const checks = [
  { name: 'types', says: 'TypeScript, strict', run: [tool('typescript', 'bin', 'tsc'), '--noEmit', '-p', '.', '--pretty', 'false'] },
  {
    name: 'lint',
    says: 'promises, layers, size, first lines',
    run: [tool('eslint', 'bin', 'eslint.js'), '--config', 'test/eslint.config.mjs', '--max-warnings', '0', '.'],
  },
  { name: 'format', says: 'Prettier', run: [tool('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  {
    name: 'page',
    says: 'svelte-check',
    run: [tool('svelte-check', 'bin', 'svelte-check'), '--tsconfig', './tsconfig.json', '--output', 'human', '--fail-on-warnings'],
  },
]
const help = `Check the source: ${checks.map(({ name, says }) => `${name} (${says})`).join(', ')}.

  npm run check [-- NAME…] [--json]

  NAME     only these checks
  --json   one object with every result instead of lines
  --help   this text

Exit code 0: all well; 1: a check failed, and its output is printed; 2: wrong use.`
// a tool that hangs must not hang the pipeline
const LIMIT_MS = 10 * 60_000
// a clinic's build computer has two cores, and each tool fills one
const AT_ONCE = 2

const args = process.argv.slice(2)
const json = args.includes('--json')
const names = args.filter((arg) => arg !== '--json')
if (names.includes('--help')) {
  process.stdout.write(help + '\n')
  process.exit(0)
}
const unknown = names.find((name) => !checks.some((check) => check.name === name))
if (unknown !== undefined) {
  process.stderr.write(`There is no check “${unknown}”.\n\n${help}\n`)
  process.exit(2)
}

const node = pinnedNode()
const run = (check) =>
  new Promise((resolve) => {
    const started = performance.now()
    let output = ''
    const child = spawn(node, check.run, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      env: { ...process.env, FORCE_COLOR: '0' },
    })
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    const end = (ok, added = '') =>
      resolve({ name: check.name, ok, seconds: Math.round((performance.now() - started) / 100) / 10, output: output + added })
    child.on('error', (error) => end(false, `${error.message}\n`))
    child.on('close', (code, signal) => end(code === 0, signal ? `It was ended by ${signal}.\n` : ''))
  })

const queue = checks.filter(({ name }) => names.length === 0 || names.includes(name))
const results = []
const lane = async () => {
  for (let check = queue.shift(); check; check = queue.shift()) {
    const result = await run(check)
    results.push(result)
    if (json) continue
    process.stdout.write(`${result.ok ? 'ok    ' : 'FAILED'}  ${result.name.padEnd(7)} ${result.seconds.toFixed(1).padStart(6)} s\n`)
    if (!result.ok) process.stdout.write(result.output.trimEnd() + '\n\n')
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, lane))
const ok = results.every((result) => result.ok)
if (json)
  process.stdout.write(
    JSON.stringify({ name: 'check', ok, checks: results.map((result) => (result.ok ? { ...result, output: '' } : result)) }, null, 2) + '\n',
  )
process.exit(ok ? 0 : 1)
