// Owns which files of an npm package never go into a staged program: sources, maps, types, tests, and other systems' binaries.
import type { Target } from './target.ts'

const endings =
  /\.(?:map|[cm]?ts|c|cc|cpp|cs|cxx|def|h|hpp|m|mm|rs|gyp|gypi|cmake|patch|bundle|tsbuildinfo|flow|lock|zip|tgz|gz|sh|ps1|cmd|bnf|gif|txt|lib|exp)$/i
const folders = /(?:^|\/)(?:\.github|\.bin|test|tests|__tests__|example|examples|benchmark|benchmarks|coverage)\//
const legal = /(?:^|\/)(?:licen[cs]e|notice|copying|copyright)[^/]*$/i
const prose = /(?:^|\/)(?:[^/]+\.(?:md|markdown|mkd)|readme|changelog|history|authors|makefile|\.[^/]+|tsconfig[^/]*\.json)$/i
// sources of llama.cpp and what builds it; the loader reads the two JSON files beside them, which stay
const llamaSources = /^llama\/(?:(?:addon|cmake|patches|profiles|toolchains|xpack)\/|gitRelease\.bundle$|CMakeLists\.txt$)/

/** @param name of the package @param file its path inside the package, with forward slashes */
export function isLeftOut(name: string, file: string, target: Target): boolean {
  if (legal.test(file)) return false
  if (endings.test(file) || folders.test(file) || prose.test(file)) return true
  // projects that its command-line tool starts from
  if (name === 'node-llama-cpp') return llamaSources.test(file) || file.startsWith('templates/')
  // a starter for Deno, without an ending
  if (name === 'yargs') return file === 'yargs'
  if (name === 'better-sqlite3') return /^(?:deps|src)\//.test(file) || (file.startsWith('prebuilds/') && file !== `prebuilds/${target.sqlite}`)
  return false
}
