// Owns how the page tests run: the same specs against each host, each test with its own host and its own data folder.
import { defineConfig } from 'playwright/test'

export default defineConfig({
  testDir: '.',
  outputDir: '../results/flow',
  reporter: [['list'], ['json', { outputFile: '../results/flow.json' }]],
  timeout: 60_000,
  expect: { timeout: 8_000 },
  workers: 2,
  fullyParallel: false,
  retries: 0,
  projects: [
    { name: 'loopback', metadata: { host: 'loopback' } },
    { name: 'electron', metadata: { host: 'electron' } },
  ],
})
