// Owns the build of everything but the page: `--mode app` makes the entries in out/app, `--mode preload` the bridge in out/preload.
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'vite'

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
/** Left as imports: Electron itself, native modules that find their binaries beside themselves, and a logger that reads its own package. */
const external = ['electron', 'better-sqlite3', 'node-llama-cpp', /^electron-log(\/|$)/, /^node:/, ...builtinModules]

const app: UserConfig = {
  // everything else is bundled, so that the package carries four native-bound dependencies and no tree of others
  ssr: { noExternal: true, target: 'node' },
  build: {
    ssr: true,
    target: 'node24',
    outDir: file('../out/app'),
    emptyOutDir: true,
    sourcemap: true,
    minify: false,
    rolldownOptions: {
      external,
      input: {
        main: file('host/main.ts'),
        headless: file('host/headless.ts'),
        'ask-cli': file('host/ask-cli.ts'),
        engine: file('engine/entry.ts'),
        probe: file('engine/probe-entry.ts'),
      },
      // base/paths.ts finds the program's files from where its own bundle lies: no subfolders
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
}

/** A sandboxed preload script can neither be an ES module nor require another file. */
const preload: UserConfig = {
  build: {
    target: 'chrome140',
    outDir: file('../out/preload'),
    emptyOutDir: true,
    sourcemap: true,
    minify: false,
    lib: { entry: file('host/preload.ts'), formats: ['cjs'], fileName: () => 'preload.cjs' },
    rolldownOptions: { external: ['electron'] },
  },
}

export default defineConfig(({ command, mode }) => {
  const common: UserConfig = { root: file('..'), publicDir: false }
  if (mode === 'app') return { ...common, ...app }
  if (mode === 'preload') return { ...common, ...preload }
  // tools such as svelte-check read this file without building
  if (command === 'serve' || mode === 'development') return common
  throw new Error(`There is no mode “${mode}” here: use --mode app or --mode preload.`)
})
