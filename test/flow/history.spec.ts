// Owns the page tests of earlier questions: find, rename, save as a file, delete.
import { readFileSync } from 'node:fs'
import { answers, ask, first, skipWelcome } from './page.ts'
import { expect, test } from './hosts.ts'

test('an earlier question is found, renamed, saved as a file and deleted', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await ask(app, first)
  await page.getByRole('button', { name: /^New question/ }).click()
  await ask(app, 'What are the symptoms of asthma?')

  const search = page.getByRole('searchbox').or(page.getByRole('textbox', { name: 'Search earlier questions' }))
  await search.fill('otitis')
  const row = page.getByRole('link', { name: new RegExp(first.slice(0, 30)) })
  await expect(row).toBeVisible()
  await expect(page.getByRole('link', { name: /symptoms of asthma/ })).toBeHidden()
  await row.click()
  await expect(answers(app)).toContainText('amoxicillin')
  await search.fill('')

  const menu = async (item: string) => {
    await page
      .getByRole('button', { name: /^Actions for/ })
      .last()
      .click()
    await page.getByRole('menuitem', { name: item }).click()
  }
  await menu('Rename…')
  await page.getByRole('dialog').getByRole('textbox').fill('Ear, adult')
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click()
  await expect(page.getByRole('link', { name: /Ear, adult/ })).toBeVisible()

  const download = page.waitForEvent('download')
  await menu('Save as a file')
  const file = readFileSync(await (await download).path(), 'utf8')
  expect(file).toContain(first)
  expect(file).toContain('not for patient care')

  await menu('Delete…')
  await page.getByRole('alertdialog').or(page.getByRole('dialog')).getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByRole('link', { name: /Ear, adult/ })).toBeHidden()
  await expect(page.getByRole('link', { name: /symptoms of asthma/ })).toBeVisible()
})
