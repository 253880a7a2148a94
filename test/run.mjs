// Owns `npm test`: every test that this machine can run, one after the other, and one closing line for all of them.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBrowser } from '../app/bootstrap/browser.mjs'
import { electronBinary } from '../app/bootstrap/electron.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const results = join(root, 'test', 'results')
const help = `Run the tests.

  npm test                   all: unit and contract tests (vitest), page tests in a real browser (Playwright)
  npm test -- unit [FILTER]  only the unit and contract tests [whose path contains FILTER]
  npm test -- flow [FILTER]  only the page tests

The last line counts them all. Page tests run once per host; those of a host that cannot run here are skipped, and the reason is printed.
`
const [only, ...filters] = process.argv.slice(2)
if (only === '--help') {
  process.stdout.write(help)
  process.exit(0)
}
if (only !== undefined && only !== 'unit' && only !== 'flow') {
  process.stderr.write(help)
  process.exit(2)
}

rmSync(results, { recursive: true, force: true })
mkdirSync(results, { recursive: true })
const total = { passed: 0, failed: 0, skipped: 0 }
const reasons = []

function run(script, args) {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, RUSHLIGHT_DATA: '' },
  })
  return status ?? 1
}
function read(name) {
  try {
    return JSON.parse(readFileSync(join(results, name), 'utf8'))
  } catch {
    // a runner that died before it wrote its report has not passed
    total.failed++
    return null
  }
}

if (only !== 'flow') {
  const status = run('vitest/vitest.mjs', [
    'run',
    '--config',
    'test/vitest.config.ts',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${join(results, 'unit.json')}`,
    ...filters,
  ])
  const report = read('unit.json')
  if (report) {
    total.passed += report.numPassedTests
    total.failed += report.numFailedTests
    total.skipped += report.numPendingTests + report.numTodoTests
    if (status !== 0 && report.numFailedTests === 0) total.failed++
    for (const file of report.testResults)
      for (const test of file.assertionResults) if (test.status === 'skipped' || test.status === 'pending') reasons.push(test.fullName)
  }
}
if (only !== 'unit') {
  if (!findBrowser()) reasons.push('page tests over loopback: no Chromium, Chrome or Edge was found')
  if (!electronBinary()) reasons.push('page tests in Electron: its binary is not on this machine')
  const status = run('playwright/cli.js', ['test', '--config', 'test/flow/playwright.config.ts', ...filters])
  const report = read('flow.json')
  if (report) {
    const { expected, unexpected, flaky, skipped } = report.stats
    total.passed += expected
    total.failed += unexpected + flaky
    total.skipped += skipped
    if (status !== 0 && unexpected + flaky === 0) total.failed++
  }
}

if (reasons.length > 0) process.stdout.write(`\nSkipped:\n${reasons.map((reason) => `- ${reason}`).join('\n')}\n`)
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0)
