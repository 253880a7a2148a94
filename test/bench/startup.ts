// Owns the start-up bench: what set-up adds to a warm start, start to usable page, and question to first word, each beside a bare rival.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser } from 'playwright'
import { atMost, median, type Row } from '../../models/workshop/report.ts'
import { findBrowser } from '../../app/bootstrap/browser.mjs'
import type { Bench } from './run.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const question = 'What is the adult dose of amoxicillin for otitis media?'
const now = () => performance.now()

export const startup: Bench = {
  about: 'set-up on a warm start, start to usable page, question to first word',
  async run(rounds) {
    const found = findBrowser()
    if (!found) throw new Error('This bench needs a Chromium, Chrome or Edge; none was found.')
    const browser = await chromium.launch({
      executablePath: found.path,
      chromiumSandbox: process.getuid?.() !== 0,
      args: ['--disable-background-networking'],
    })
    const times: Record<string, number[]> = {}
    const note = (name: string, ms: number) => (times[name] ??= []).push(ms)
    try {
      for (let round = 0; round < rounds; round++) {
        note('node', script(['-e', '0']))
        note('setup', script([join(root, 'app', 'bootstrap', 'setup.mjs')]))
        note('blank', await blankPage(browser))
        const ours = await page(browser)
        for (const [name, ms] of Object.entries(ours)) note(name, ms)
        const bare = await bareEngine()
        for (const [name, ms] of Object.entries(bare)) note(name, ms)
      }
    } finally {
      await browser.close()
    }
    const at = (name: string) => median(times[name]!)
    const row = (what: string, ours: number, rival: string, theirs: number): Row => ({
      what,
      'ours ms': Math.round(ours),
      rival,
      'rival ms': Math.round(theirs),
      ratio: ours / theirs,
    })
    return {
      name: 'bench startup',
      rows: [
        row('set-up on a warm start', at('setup'), 'node that does nothing', at('node')),
        row('start to usable page', at('usable'), 'node serving an empty page', at('blank')),
        row('start to model ready', at('ready'), 'bare engine: start to loaded', at('bareLoaded')),
        row('first question, asked on the page, to first word', at('first'), 'bare engine: prompt to first word', at('bareFirst')),
        row('second question to first word', at('second'), 'bare engine: second prompt', at('bareSecond')),
      ],
      targets: [atMost('startup.setup.added', at('setup') - at('node'), 50, 'ms')],
    }
  },
}

function script(args: string[]): number {
  const started = now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore', cwd: root })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`)
  return now() - started
}

/** A fresh host with a fresh data folder, opened in a new page: until a question can be typed, until the model is ready, until words come. */
async function page(browser: Browser): Promise<Record<'usable' | 'ready' | 'first' | 'second', number>> {
  const data = mkdtempSync(join(tmpdir(), 'rushlight-bench-'))
  const started = now()
  const host = spawn(process.execPath, [join(root, 'out', 'app', 'headless.js'), '--no-window', '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const tab = await browser.newPage()
  try {
    await tab.goto(await lineWith(host, /http:\/\/127\.0\.0\.1:\d+\/#open=\S+/))
    const field = tab.getByRole('textbox', { name: 'Question' })
    await field.waitFor()
    const usable = now() - started
    await tab.getByRole('link', { name: /^Engine status: Ready/ }).waitFor()
    const ready = now() - started
    const ask = async (text: string, nth: number) => {
      await tab.getByRole('textbox', { name: 'Question' }).fill(text)
      const asked = now()
      await tab.keyboard.press('Enter')
      await tab.locator('.answer .lead').nth(nth).waitFor()
      return now() - asked
    }
    return { usable, ready, first: await ask(question, 0), second: await ask('What are the symptoms of asthma?', 1) }
  } finally {
    await tab.close()
    host.kill()
    await new Promise((resolve) => host.once('exit', resolve))
    rmSync(data, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function blankPage(browser: Browser): Promise<number> {
  const started = now()
  const server = http.createServer((_, response) => response.end('<!doctype html><title>x</title><textarea aria-label="Question"></textarea>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const tab = await browser.newPage()
  await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await tab.getByRole('textbox', { name: 'Question' }).waitFor()
  const ms = now() - started
  await tab.close()
  server.close()
  server.closeAllConnections()
  return ms
}

async function bareEngine(): Promise<Record<'bareLoaded' | 'bareFirst' | 'bareSecond', number>> {
  const started = now()
  const child = spawn(
    process.execPath,
    [
      join(root, 'test', 'bench', 'bare-engine.mjs'),
      join(root, 'models', 'starter', 'rushlight-starter-q8.gguf'),
      question,
      'What are the symptoms of asthma?',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let [text, bareLoaded] = ['', 0]
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (bareLoaded === 0 && text.includes('loaded')) bareLoaded = now() - started
  })
  await new Promise((resolve) => child.once('close', resolve))
  const times = /first (\S+) second (\S+)/.exec(text)
  if (!times) throw new Error(`the bare engine said only: ${text}`)
  const [, first, second] = times
  return { bareLoaded, bareFirst: Number(first), bareSecond: Number(second) }
}

function lineWith(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const hear = (chunk: Buffer) => {
      text += chunk.toString()
      const found = pattern.exec(text)?.[0]
      if (found === undefined) return
      child.stdout!.off('data', hear)
      resolve(found)
    }
    child.stdout!.on('data', hear)
    child.once('exit', (code) => reject(new Error(`it ended with ${code} before it said ${pattern}`)))
  })
}
