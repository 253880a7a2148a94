// Owns the lint rule on who may import whom: the layers of app/, what the page may see of the contract, and the one home of each risky package.
import { posix, relative, sep } from 'node:path'

const siblings = ['clinical', 'store', 'library', 'engine', 'deploy', 'trust']
const upToBase = ['contract', 'base']
/** Each layer of app/ and the layers it may import besides itself. */
const layers = {
  bootstrap: [],
  contract: [],
  base: ['contract'],
  ...Object.fromEntries(siblings.map((name) => [name, upToBase])),
  ask: [...upToBase, ...siblings],
  host: [...upToBase, ...siblings, 'ask', 'bootstrap'],
}
/** What the page may import of the contract at run time; no schema reaches it. */
const pageRuntime = ['app/contract/client.ts', 'app/contract/errors.ts', 'app/contract/port.ts']

/** Package → the only files that may import it. Tests may look into a database or stand in for Electron. */
const homes = [
  { name: 'node-llama-cpp', files: /^(app\/engine\/llama\.ts|test\/bench\/bare-engine\.mjs)$/, say: 'app/engine/llama.ts' },
  { name: 'better-sqlite3', files: /^(app\/store|test)\//, say: 'app/store' },
  { name: 'ml-matrix', files: /^(app\/deploy\/modes\/gaussian\.ts$|test\/)/, say: 'app/deploy/modes/gaussian.ts' },
  { name: 'highs', files: /^(app\/deploy\/milp\.ts$|test\/)/, say: 'app/deploy/milp.ts' },
  {
    name: 'electron',
    files: /^(app\/host\/(main|window|app-scheme|electron-ipc|engine-spawn-electron|preload)\.ts$|test\/)/,
    say: 'Electron’s own files in app/host',
  },
]

/** @returns {string} app/LAYER, renderer, models/workshop, test, or '' for data and top-level files. */
function zoneOf(file) {
  const [top, second = ''] = file.split('/')
  if (top === 'app') return file.split('/').length > 2 ? `app/${second}` : ''
  if (top === 'models') return second === 'workshop' ? 'models/workshop' : ''
  if (file === 'renderer/vite.config.ts') return ''
  return top === 'renderer' || top === 'test' ? top : ''
}

/**
 * Says why `from` may not import `source`, or null. Both files are relative to the project, with forward slashes.
 * @param {string} from @param {string} source as written @param {boolean} typeOnly
 * @returns {string | null}
 */
export function importRefusal(from, source, typeOnly) {
  const zone = zoneOf(from)
  if (!source.startsWith('.')) return packageRefusal(from, zone, source)
  const to = posix.join(posix.dirname(from), source)
  const target = zoneOf(to)
  if (target === '' || target === zone || zone === '' || zone === 'test') return null
  if (zone === 'renderer') {
    if (target !== 'app/contract') return 'the page may import nothing of the program but app/contract'
    return typeOnly || pageRuntime.includes(to) ? null : `the page may import ${to} as types only (import type)`
  }
  if (target === 'renderer') return 'only the page imports renderer/'
  if (target === 'test') return 'only tests import test/'
  if (zone === 'models/workshop') return null
  if (target === 'models/workshop') return 'the program may not import models/workshop'
  const [layer, wanted] = [zone.slice('app/'.length), target.slice('app/'.length)]
  const allowed = layers[layer]
  if (!allowed) return `app/${layer} is no known layer: name it in test/lint/layers.mjs`
  if (allowed.includes(wanted)) return null
  return `app/${layer} may import ${allowed.length > 0 ? allowed.map((name) => `app/${name}`).join(', ') : 'no other layer'}, not app/${wanted}`
}

function packageRefusal(from, zone, source) {
  const home = homes.find(({ name }) => source === name || source.startsWith(`${name}/`))
  if (home && !home.files.test(from)) return `only ${home.say} may import ${home.name}`
  if (zone === 'renderer' && /^(zod$|zod\/|node:)/.test(source)) return `${source} does not belong in the page`
  if (zone === 'app/bootstrap' && !source.startsWith('node:')) return 'app/bootstrap runs before anything is installed: Node built-ins only'
  return null
}

/** @type {import('eslint').Rule.RuleModule} */
export const layersRule = {
  meta: { type: 'problem', schema: [], messages: { refused: 'Import of “{{source}}”: {{why}}.' } },
  create(context) {
    const from = relative(context.cwd, context.filename).split(sep).join('/')
    const check = (node, source, typeOnly) => {
      if (typeof source !== 'string') return
      const why = importRefusal(from, source, typeOnly)
      if (why) context.report({ node, messageId: 'refused', data: { source, why } })
    }
    const exported = (node) => node.source && check(node, node.source.value, node.exportKind === 'type')
    return {
      ImportDeclaration: (node) => check(node, node.source.value, isTypeOnly(node)),
      ExportNamedDeclaration: exported,
      ExportAllDeclaration: exported,
      ImportExpression: (node) => check(node, node.source.value, false),
      TSImportType: (node) => check(node, (node.source ?? node.argument?.literal)?.value, true),
    }
  },
}

function isTypeOnly(node) {
  if (node.importKind === 'type') return true
  return node.specifiers.length > 0 && node.specifiers.every((specifier) => specifier.importKind === 'type')
}
