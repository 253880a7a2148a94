// Owns the page tests of the hardware page: what a person sees, hears and can do; plans that this machine cannot run are shown as a host would tell them.
import { AxeBuilder } from '@axe-core/playwright'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright/test'
import { findBrowser } from '../../app/bootstrap/browser.mjs'
import { MODEL, startOpenAiServer } from '../support/openai-server.ts'
import { hardwareScene } from './hardware-data.ts'
import { expect, root, test, type App } from './hosts.ts'
import { ask, skipWelcome } from './page.ts'
import { startScripted, type ScriptedHost } from './scripted-host.ts'

const profile = (name: string) => join(root, 'test', 'profiles', `${name}.json`)
const open = async (page: Page) => {
  await page.getByRole('link', { name: 'Hardware', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Hardware and plan' })).toBeVisible()
}
const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

test.describe('a plan that is told', () => {
  test.beforeEach(() => test.skip(test.info().project.name !== 'loopback', 'the page is the same in every host; these plans are told once'))
  test.skip(!findBrowser(), 'no Chromium, Chrome or Edge was found')

  async function play(
    scene: Parameters<typeof hardwareScene>,
    look: { width?: number; scheme?: 'light' | 'dark' },
    work: (page: Page, host: ScriptedHost) => Promise<void>,
  ): Promise<void> {
    const host = await startScripted('ready', join(root, 'out', 'renderer'))
    const browser = await chromium.launch({ executablePath: findBrowser()!.path, chromiumSandbox: process.getuid?.() !== 0 })
    try {
      const { facts, picture, status, list, server } = hardwareScene(...scene)
      host.tell('hardware.facts', facts)
      host.tell('plan.picture', picture)
      host.tell('engine.list', list)
      host.tell('server.state', server)
      host.engine({ plan: status, backend: picture.devices.at(-1)!.backend, gpuLayers: picture.gpuLayers, layers: picture.layers + 1 })
      const context = await browser.newContext({ viewport: { width: look.width ?? 1366, height: 768 }, colorScheme: look.scheme ?? 'light' })
      const page = await context.newPage()
      await page.goto(host.url())
      await open(page)
      await work(page, host)
    } finally {
      await browser.close()
      await host.close()
    }
  }

  test('shows each layer, what memory holds, what else was weighed and why not', () =>
    play(['rtx-4060-8gb-nearly-full', { tried: true }], {}, async (page) => {
      await expect(
        page.getByRole('img', { name: /^Layers from the first to the last: embedding, layers 1 to \d+ on .*; layers \d+ to 28, output on NVIDIA/ }),
      ).toBeVisible()
      await expect(section(page, 'Memory')).toContainText(/weights \d.*KV.*other programs.*kept back.*free/)
      const options = section(page, 'Alternatives considered')
      await expect(options.getByRole('row', { name: /in use/ })).toHaveCount(1)
      await expect(options.getByRole('row', { name: /does not fit/ })).toContainText(/It needs \d\.\d GB on the card/)
      await expect(options.getByRole('button', { name: /^Use this plan: Processor only/ })).toBeVisible()
      // a downgrade is never silent
      await expect(page.getByRole('link', { name: /^Engine status: Ready, slower/ })).toBeVisible()
      await expect(page.getByText('Not as first planned.')).toBeVisible()
      await expect(section(page, 'Clinic server')).toContainText('Nothing leaves this computer')
    }))

  for (const look of [{ scheme: 'light' }, { scheme: 'dark' }, { width: 600 }] as const)
    test(`is without a fault for axe, ${JSON.stringify(look)}`, () =>
      play(['rtx-3060-12gb', { server: true, tried: true }], look, async (page) => {
        for (const summary of await page.locator('main summary').all()) await summary.click()
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
        const wide = await page.evaluate(() => document.querySelector('.scroll')!.scrollWidth - document.querySelector('.scroll')!.clientWidth)
        expect(wide).toBeLessThanOrEqual(0)
      }))

  test('says which engine is next, which is left alone until when, and what has failed', () =>
    play(['rtx-3060-12gb', { server: true }], {}, async (page) => {
      const engines = section(page, 'Engines for the next question')
      await expect(engines.getByRole('row', { name: /this computer/ })).toContainText('next')
      await expect(engines.getByRole('row', { name: /clinic server/ })).toContainText(/left alone.*tried again after \d\d:\d\d/)
      await engines.getByText('What has failed (1)').click()
      await expect(engines).toContainText('broke off')
    }))
})

test.describe('this computer, with the facts of another', () => {
  test.use({ hostArgs: ['--hardware', profile('rtx-3060-12gb'), '--allow-server', 'http'] })

  test('a plan is chosen by keyboard, taken back by undo, and the answer comes all the same', async ({ app }) => {
    const { page } = app
    await skipWelcome(app)
    await open(page)
    // the card of the profile is not in this machine, so the ladder ends with the processor
    await expect(page.getByRole('img', { name: /^Layers from the first to the last: embedding, layers 1 to \d+, output on/ })).toBeVisible({
      timeout: 30_000,
    })
    const options = section(page, 'Alternatives considered')
    await expect(options.getByRole('row', { name: /failed/ }).first()).toBeVisible()
    await options.getByText('Choose a plan of your own').focus()
    await page.keyboard.press('Enter')
    await options.getByLabel('Runs on').selectOption('cpu')
    await options.getByLabel('Context, tokens').fill('512')
    await page.keyboard.press('Enter')
    await expect(page.getByText('You have chosen this plan.', { exact: true })).toBeVisible({ timeout: 30_000 })
    await expect(page.getByRole('region', { name: /^Plan: which device/ })).toContainText('context 512')
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect(page.getByRole('region', { name: /^Plan: which device/ })).toContainText('context 1,024', { timeout: 30_000 })
    await expect(page.getByText('You have chosen this plan.', { exact: true })).toHaveCount(0)
    await page.getByRole('link', { name: 'Ask', exact: true }).click()
    await ready(app)
    await ask(app, 'What are the symptoms of asthma?')
    await open(page)
    await expect(section(page, 'Predicted and measured').getByRole('row', { name: /First word/ })).not.toContainText('no answer yet')
  })

  test('a server is entered, tested, saved; it answers and the answer says so; killed, this computer goes on', async ({ app }) => {
    const server = await startOpenAiServer()
    try {
      const { page } = app
      await skipWelcome(app)
      await ready(app)
      await open(page)
      const form = section(page, 'Clinic server')
      await form.getByLabel('Address').fill('http://9.9.9.9')
      await form.getByRole('button', { name: 'Test the server' }).click()
      await expect(form.getByRole('status')).toContainText('not on the clinic’s own network')
      await form.getByLabel('Address').fill(server.url)
      await form.getByRole('button', { name: 'Test the server' }).click()
      await expect(form.getByRole('status')).toContainText(`vLLM, model ${MODEL}, context of 1,024 tokens`)
      await form.getByRole('switch', { name: 'Ask the server' }).click()
      await form.getByLabel('When it is asked').selectOption('server')
      await form.getByRole('button', { name: 'Save' }).click()
      await expect(form.getByRole('status')).toContainText('Saved.')
      await expect(page.getByRole('link', { name: new RegExp(`^Engine status: Ready.*clinic server · 127\\.0\\.0\\.1:${server.port}`) })).toBeVisible(
        { timeout: 20_000 },
      )
      await page.getByRole('link', { name: 'Ask', exact: true }).click()
      const answer = await ask(app, 'What are the symptoms of asthma?')
      await expect(answer).toContainText(`vLLM on 127.0.0.1:${server.port}`)
      await server.kill()
      const next = await ask(app, 'What are the causes of asthma?')
      await expect(next).toContainText('llama.cpp')
      await open(page)
      await expect(section(page, 'Engines for the next question').getByRole('row', { name: /clinic server/ })).toContainText(/left alone|not ready/)
    } finally {
      await server.close()
    }
  })
})

const ready = ({ page }: Pick<App, 'page'>) => expect(page.getByRole('link', { name: /^Engine status: Ready/ })).toBeVisible({ timeout: 30_000 })
