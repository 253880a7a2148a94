// Owns the proof that lint bites: each rule on a bad sample and on the good one beside it, through the real configuration.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { importRefusal } from '../lint/layers.mjs'

const allowed: [from: string, source: string, typeOnly?: boolean][] = [
  ['app/base/router.ts', '../contract/define.ts'],
  ['app/store/db.ts', '../base/log.ts'],
  ['app/store/db.ts', './migrations.ts'],
  ['app/store/db.ts', 'better-sqlite3'],
  ['app/store/migrations/0010-initial.ts', '../db.ts'],
  ['app/ask/ask.ts', '../clinical/text.ts'],
  ['app/ask/ask.ts', '../store/answers.ts'],
  ['app/host/services.ts', '../ask/ask.ts'],
  ['app/host/main.ts', 'electron'],
  ['app/host/browser-window.ts', '../bootstrap/browser.mjs'],
  ['app/base/version.ts', '../../package.json'],
  ['app/engine/llama.ts', 'node-llama-cpp'],
  ['app/bootstrap/start.mjs', 'node:fs'],
  ['app/bootstrap/start.mjs', './setup.mjs'],
  ['renderer/transport.ts', '../app/contract/port.ts'],
  ['renderer/views/AskView.svelte', '../../app/contract/client.ts'],
  ['renderer/state/ask.svelte.ts', '../../app/contract/entities.ts', true],
  ['renderer/main.ts', 'svelte'],
  ['models/workshop/score.ts', '../../app/clinical/text.ts'],
  ['models/workshop/verbs/corpus.ts', '../../../app/engine/gguf.ts'],
  ['test/unit/electron-main.test.ts', '../../app/host/main.ts'],
  ['test/unit/fake-electron.ts', 'electron', true],
  ['test/faults/kill.ts', 'better-sqlite3'],
]
const refused: [from: string, source: string, typeOnly?: boolean][] = [
  ['app/contract/client.ts', '../base/log.ts'],
  ['app/base/paths.ts', '../store/db.ts'],
  ['app/base/paths.ts', '../store/db.ts', true],
  ...['clinical', 'store', 'library', 'engine', 'deploy'].flatMap((one) =>
    ['clinical', 'store', 'library', 'engine', 'deploy']
      .filter((other) => other !== one)
      .map((other): [string, string] => [`app/${one}/a.ts`, `../${other}/b.ts`]),
  ),
  ['app/library/library.ts', '../ask/ask.ts'],
  ['app/ask/ask.ts', '../host/services.ts', true],
  ['app/ask/ask.ts', '../bootstrap/setup.mjs'],
  ['app/host/main.ts', '../../renderer/main.ts'],
  ['app/host/main.ts', '../../models/workshop/score.ts'],
  ['app/host/main.ts', '../../test/unit/fake-electron.ts'],
  ['app/newlayer/a.ts', '../base/log.ts'],
  ['models/workshop/score.ts', '../../renderer/main.ts'],
  ['models/workshop/score.ts', '../../test/run.mjs'],
  ['renderer/main.ts', '../app/contract/entities.ts'],
  ['renderer/main.ts', '../app/contract/contract.ts'],
  ['renderer/main.ts', '../app/base/log.ts', true],
  ['renderer/main.ts', '../models/workshop/score.ts'],
  ['renderer/main.ts', 'zod'],
  ['renderer/main.ts', 'node:fs'],
  ['renderer/main.ts', 'electron', true],
  ['app/engine/engine.ts', 'node-llama-cpp'],
  ['models/workshop/exam.ts', 'node-llama-cpp'],
  ['app/host/services.ts', 'better-sqlite3', true],
  ['app/host/services.ts', 'electron', true],
  ['app/host/smoke.ts', 'electron/main'],
  ['app/bootstrap/start.mjs', 'vite'],
]
test.each(allowed)('%s may import %s', (from, source, typeOnly = false) => expect(importRefusal(from, source, typeOnly)).toBeNull())
test.each(refused)('%s may not import %s', (from, source, typeOnly = false) => expect(importRefusal(from, source, typeOnly)).toBeTypeOf('string'))

const root = fileURLToPath(new URL('../..', import.meta.url))
const samples: Record<string, [source: string, expected: string[]]> = {
  'app/base/good.ts': [`// Owns a good file.\nimport type { Result } from '../contract/define.ts'\nexport type R = Result\n`, []],
  'app/contract/define.ts': ['// Owns a form.\nexport type Result = 1 | 2\n', []],
  'app/store/upward.ts': [
    `// Owns a fault.\nexport * from '../ask/a.ts'\nexport const b = import('../engine/b.ts')\n`,
    ['rushlight/layers', 'rushlight/layers'],
  ],
  'app/ask/a.ts': [`// Owns a fault.\nexport type T = import('electron').App\n`, ['rushlight/layers']],
  'app/engine/b.ts': [`// Owns a fault.\nimport 'node-llama-cpp'\n`, ['rushlight/layers']],
  'app/base/silent.ts': [`export const a = 1\n// Too late.\n`, ['rushlight/first-line']],
  'app/base/directive.ts': [`/* eslint-disable no-console */\nconsole.log(1)\n`, ['rushlight/first-line']],
  'app/base/long.ts': ['// Owns too much.\n' + 'export {}\n'.repeat(300), ['max-lines']],
  'app/base/promise.ts': [
    `// Owns a fault.\nconst work = () => Promise.resolve()\nwork()\n;[1].forEach(async () => work())\n`,
    ['@typescript-eslint/no-floating-promises', '@typescript-eslint/no-misused-promises'],
  ],
  'app/base/switch.ts': [
    `// Owns a fault.\nimport type { Result } from '../contract/define.ts'\nexport function f(r: Result) {\n  switch (r) {\n    case 1:\n      return 1\n  }\n  return 0\n}\n`,
    ['@typescript-eslint/switch-exhaustiveness-check'],
  ],
  'app/base/loose.ts': [
    `// Owns a fault.\nexport const f = (a: any) => a == 1\nconsole.log(f)\n`,
    ['@typescript-eslint/no-explicit-any', 'eqeqeq', 'no-console'],
  ],
  'app/host/headless.ts': [`// Owns printing.\nconsole.log(1)\n`, []],
  'renderer/Good.svelte': [
    `<!-- Owns a good part. -->\n<script lang="ts">\n  import type { Result } from '../app/contract/define.ts'\n  let { r }: { r: Result } = $props()\n</script>\n\n<p>{r}</p>\n`,
    [],
  ],
  'renderer/Bad.svelte': [
    `<script lang="ts">\n  import * as z from 'zod'\n  let { html }: { html: string } = $props()\n  const s = z.string()\n  Promise.resolve(s)\n</script>\n\n{@html html}\n`,
    ['@typescript-eslint/no-floating-promises', 'rushlight/first-line', 'rushlight/layers', 'svelte/no-at-html-tags'],
  ],
  'test/silent.mjs': [`console.log(1)\n`, ['rushlight/first-line']],
}

test('the configuration finds each fault in its sample, and nothing else', () => {
  const project = mkdtempSync(join(tmpdir(), 'rushlight-lint-'))
  try {
    for (const [path, [source]] of Object.entries(samples)) {
      mkdirSync(dirname(join(project, path)), { recursive: true })
      writeFileSync(join(project, path), source)
    }
    mkdirSync(join(project, 'test', 'lint'), { recursive: true })
    for (const path of ['tsconfig.json', 'test/eslint.config.mjs', 'test/lint/layers.mjs', 'test/lint/first-line.mjs'])
      writeFileSync(join(project, path), readFileSync(join(root, path)))
    symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'))
    const eslint = [join(root, 'node_modules/eslint/bin/eslint.js'), '--config', 'test/eslint.config.mjs', '--format', 'json', '.']
    let output: string
    try {
      output = execFileSync(process.execPath, eslint, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    } catch (error) {
      output = (error as { stdout: string }).stdout
    }
    const results = JSON.parse(output) as { filePath: string; messages: { ruleId: string | null; message: string }[] }[]
    const found = Object.fromEntries(
      results.map(({ filePath, messages }) => [filePath.slice(filePath.indexOf('rushlight-lint-')).split('/').slice(1).join('/'), messages]),
    )
    for (const [path, [, expected]] of Object.entries(samples)) {
      const messages = found[path] ?? [{ ruleId: 'not linted', message: '' }]
      expect(messages.map(({ ruleId, message }) => ruleId ?? message).sort(), path).toEqual([...expected].sort())
    }
    // its own configuration and rules are held to the same
    for (const path of ['test/eslint.config.mjs', 'test/lint/layers.mjs', 'test/lint/first-line.mjs']) expect(found[path], path).toEqual([])
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
})
