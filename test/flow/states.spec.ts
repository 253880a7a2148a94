// Owns the page tests of states that a real engine shows rarely or for a moment, by a host that plays them through the same contract.
import { join } from 'node:path'
import { chromium, expect, test, type Page } from 'playwright/test'
import { findBrowser } from '../../app/bootstrap/browser.mjs'
import { root } from './hosts.ts'
import { field } from './page.ts'
import { startScripted, type Scene, type ScriptedHost } from './scripted-host.ts'

test.beforeEach(() => test.skip(test.info().project.name !== 'loopback', 'the page is the same in every host; these states are played once'))
test.skip(!findBrowser(), 'no Chromium, Chrome or Edge was found')

async function play(scene: Scene, work: (page: Page, host: ScriptedHost) => Promise<void>): Promise<void> {
  const host = await startScripted(scene, join(root, 'out', 'renderer'))
  const browser = await chromium.launch({ executablePath: findBrowser()!.path, chromiumSandbox: process.getuid?.() !== 0 })
  try {
    const page = await browser.newPage({ viewport: { width: 1366, height: 768 } })
    await page.goto(host.url())
    await work(page, host)
  } finally {
    await browser.close()
    await host.close()
  }
}

test('a failed engine says why, and what to do works', () =>
  play('failed', async (page) => {
    await expect(page.getByRole('link', { name: /^Engine status/ })).not.toContainText('Ready')
    await page.getByRole('button', { name: 'Restart the engine' }).first().click()
    await expect(page.getByRole('link', { name: /^Engine status: Ready/ })).toBeVisible()
  }))

test('a loading model shows how far it is, and a question may be typed', () =>
  play('loading', async (page, host) => {
    await expect(page.getByRole('link', { name: /^Engine status/ })).toContainText('40')
    await field({ page }).fill('Dose of amoxicillin?')
    host.engine({ phase: 'loading', progress: 0.8 })
    await expect(page.getByRole('link', { name: /^Engine status/ })).toContainText('80')
  }))

test('reasoning is folded above the answer', () =>
  play('empty', async (page) => {
    await field({ page }).fill('reasoning about amoxicillin dose')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('button', { name: /^Ask again/ })).toBeVisible({ timeout: 20_000 })
    const fold = page.locator('details', { hasText: 'Reasoning' }).first()
    await expect(fold).not.toHaveAttribute('open')
    await fold.locator('summary').click()
    await expect(fold).toHaveAttribute('open')
  }))

test('Esc stops an answer and keeps what was written', () =>
  play('empty', async (page) => {
    await field({ page }).fill('slow dose of amoxicillin')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('article')).toContainText('500 mg', { timeout: 20_000 })
    await page.keyboard.press('Escape')
    await expect(page.getByRole('article')).toContainText('Stopped: what was written is kept.')
    await expect(page.getByRole('article')).toContainText('500 mg')
  }))

test('an engine lost in mid-answer is said in words, with the way on', () =>
  play('empty', async (page) => {
    await field({ page }).fill('lost at the dose of amoxicillin')
    await page.keyboard.press('Enter')
    await expect(
      page
        .getByRole('article')
        .getByRole('button', { name: /^Ask again/ })
        .first(),
    ).toBeVisible({ timeout: 20_000 })
    await expect(page.getByRole('article')).toContainText(/engine stopped/i)
  }))

test('the next question may be typed while an answer is written', () =>
  play('empty', async (page) => {
    await field({ page }).fill('long dose of amoxicillin')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('button', { name: /^Stop/ })).toBeVisible()
    await field({ page }).fill('What next?')
    await expect(page.getByRole('button', { name: /^Ask again/ })).toBeVisible({ timeout: 20_000 })
    await expect(field({ page })).toHaveValue('What next?')
  }))

test('five hundred conversations are listed without five hundred rows in the page', () =>
  play('many', async (page) => {
    await expect(page.getByRole('link', { name: /\d\d:\d\d|question/ }).first()).toBeVisible()
    expect(await page.getByRole('button', { name: /^Actions for/ }).count()).toBeLessThan(120)
  }))
