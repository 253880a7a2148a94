// Owns the page tests of the keyboard, of text size and appearance, and that they are kept.
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { ask, field, first, heading, skipWelcome } from './page.ts'
import { expect, test } from './hosts.ts'

test('everything works from the keyboard', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await page.keyboard.press('F1')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await ask(app, first)
  await page.locator('main').focus()
  await page.keyboard.press('/')
  await expect(page.getByRole('searchbox').or(page.getByRole('textbox', { name: 'Search earlier questions' }))).toBeFocused()
  await page.keyboard.press('Alt+n')
  await expect(field(app)).toBeFocused()
  await expect(heading(app, first)).toBeHidden()
})

test('text size and appearance are kept', async ({ app }) => {
  await skipWelcome(app)
  await app.page.keyboard.press('Control+=')
  await expect(app.page.locator('html')).toHaveAttribute('data-text', 'l')
  await app.page.getByRole('link', { name: 'Settings' }).click()
  await app.page.getByText('Dark', { exact: true }).click()
  await expect(app.page.locator('html')).toHaveAttribute('data-theme', 'dark')
  // the page shows a choice at once; only what the host has stored is promised
  await expect.poll(() => stored(app.data, 'theme')).toBe('"dark"')
  const page = await app.restart('SIGTERM')
  await expect(page.locator('html')).toHaveAttribute('data-text', 'l')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('a screen reader hears whole sentences', async ({ app }) => {
  await skipWelcome(app)
  await ask(app, 'What are the symptoms of asthma?')
  const said = app.page.getByRole('log')
  await expect(said).toContainText('The answer is complete.')
  for (const line of await said.locator('p').allInnerTexts()) expect(line).toMatch(/[.?!:…]$/)
})

function stored(data: string, key: string): unknown {
  const database = new Database(join(data, 'rushlight.db'), { readonly: true })
  try {
    return database.prepare('SELECT value FROM settings WHERE key = ?').pluck().get(key)
  } finally {
    database.close()
  }
}
