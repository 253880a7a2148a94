// Owns how the unit and contract tests run: real SQLite, real llama.cpp, no globals, one file at a time per core.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/native/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // for a computer that others use as well: minutes, not seconds
    testTimeout: 120_000,
    hookTimeout: 30_000,
  },
})
