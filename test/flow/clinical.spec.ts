// Owns the page tests of what rules and tables say: the banner, the cards, the comparison, terms, identifiers, incidents, calculators, paper.
import { AxeBuilder } from '@axe-core/playwright'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, type App } from './hosts.ts'
import { answerTo, field, first, skipWelcome } from './page.ts'

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
async function clean({ page }: App, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze()
  expect(violations.map(({ id, nodes }) => `${where}: ${id} ${nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([])
}
/** The model may be loading still, on a computer that does other things as well: minutes, not seconds. */
test.setTimeout(240_000)
const PATIENCE = { timeout: 120_000 }
async function ask(app: App, question: string) {
  await field(app).fill(question)
  await app.page.keyboard.press('Enter')
  const answer = answerTo(app, question)
  await expect(answer.getByRole('button', { name: /^Ask again/ })).toBeVisible(PATIENCE)
  return answer
}
const stroke = '62 y, facial droop and left arm weakness since 09:20, speech slurred'
const facts = ({ page }: App) => page.getByRole('region', { name: /reference facts/i }).first()

test('an emergency has its banner before the model answers, with number and steps, and keeps it', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await page.evaluate(() => (location.hash = '#/settings'))
  const number = page.getByLabel('Emergency number')
  await number.fill('0123')
  await number.blur()
  await page.evaluate(() => (location.hash = '#/ask'))
  await field(app).fill(stroke)
  await page.keyboard.press('Enter')
  const banner = page.getByRole('alert', { name: 'Possible stroke' })
  await expect(banner).toContainText('0123')
  await expect(banner.getByRole('listitem').first()).toContainText('ambulance')
  await expect(answerTo(app, stroke).getByRole('button', { name: /^Ask again/ })).toBeVisible(PATIENCE)
  // a quick answer does not take the alert away before it was said
  await expect(banner).toBeVisible()
  await clean(app, 'emergency')
  await page.reload()
  await expect(page.getByRole('group', { name: 'Possible stroke' })).toContainText('0123')
})

test('a medicine has its card beside the answer, unreviewed, with the part that was asked for open', async ({ app }) => {
  await skipWelcome(app)
  const answer = await ask(app, first)
  const card = facts(app)
  await expect(card).toContainText('not reviewed by a clinician')
  await expect(card.getByRole('heading', { name: 'Dose, adults' })).toBeVisible()
  await expect(card).toContainText('500 to 1000 mg three times a day')
  const part = card.getByRole('group').filter({ hasText: 'Contra-indications' })
  await expect(part.getByRole('listitem').first()).toBeHidden()
  await part.getByText('Contra-indications', { exact: true }).click()
  await expect(part.getByRole('listitem').first()).toContainText(/penicillin/i)
  await expect(answer).not.toContainText('checked: within range')
  await answer.getByText('All details').click()
  await expect(answer).toContainText('amoxicillin, version 1, not reviewed by a clinician')
})

test('a demonstration that misses the subject is withheld, and can be unfolded with a warning', async ({ app }) => {
  await skipWelcome(app)
  const answer = await ask(app, stroke)
  await expect(answer).toContainText('differs from the reference facts and is not shown')
  const fold = answer.getByText('Show what the demonstration model wrote')
  const warning = answer.getByText('Do not use it')
  await expect(warning).toBeHidden()
  await fold.click()
  await expect(warning).toBeVisible()
})

test('a term is understood in words and can be taken back', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await ask(app, 'Aftercare of MI, which tablets?')
  await expect(page.getByText('→ myocardial infarction')).toBeVisible()
  await page.getByRole('button', { name: 'Keep “MI” as typed' }).click()
  await expect(page.getByText('1 earlier answer')).toBeVisible(PATIENCE)
  await expect(page.getByRole('article').locator('> .q').getByText('→ myocardial infarction')).toBeHidden()
})

test('who a person is can be removed before anything is stored', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  const typed = 'Mrs Jane Smith, born 12/03/1956: ibuprofen with ramipril?'
  await field(app).fill(typed)
  await page.keyboard.press('Enter')
  await expect(page.locator('form').getByRole('alert')).toContainText('Jane Smith')
  await expect(page.getByRole('article')).toHaveCount(0)
  await clean(app, 'identifiers')
  await page.getByRole('button', { name: 'Remove them and ask' }).click()
  await expect(page.getByRole('article')).toContainText('ramipril with ibuprofen')
  await expect(page.getByRole('article')).not.toContainText('Smith')
})

test('a report shows what it holds and is saved on this computer', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await ask(app, first)
  await page.getByRole('button', { name: /^Report/ }).click()
  const sheet = page.getByRole('dialog')
  await sheet.getByLabel('What is wrong?').fill('The dose is for another country.')
  await sheet.getByText('The file will hold exactly this').click()
  await expect(sheet).toContainText('The dose is for another country.')
  await expect(sheet).toContainText('"sha256"')
  await clean(app, 'report')
  await sheet.getByRole('button', { name: 'Save the report' }).click()
  await expect(sheet).toContainText('incident-')
  const [file] = readdirSync(join(app.data, 'incidents'))
  const saved = JSON.parse(readFileSync(join(app.data, 'incidents', file!), 'utf8')) as { note: string; turn: { question: string } }
  expect(saved).toMatchObject({ note: 'The dose is for another country.', turn: { question: first } })
})

test('a calculator computes, refuses in words, and is free of axe violations', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await page.getByRole('link', { name: 'Calculators' }).click()
  await page.getByRole('button', { name: 'Body mass index' }).click()
  await page.getByLabel('Age').fill('40')
  await page.getByLabel('Weight').fill('80')
  await page.getByLabel('Height').fill('1,8')
  await page.getByRole('button', { name: 'Calculate' }).click()
  await expect(page.getByRole('region', { name: 'Calculators' }).getByRole('alert')).toContainText('100 to 250 cm')
  await page.getByLabel('Height').fill('180')
  await page.getByRole('button', { name: 'Calculate' }).click()
  await expect(page.getByText('24.7 kg/m²', { exact: true })).toBeVisible()
  await clean(app, 'calculator')
  await page.getByRole('button', { name: 'Dose for a child, by age and weight' }).click()
  await page.getByLabel('Medicine').fill('paracetamol')
  await page.getByLabel(/^Age \(/).fill('4')
  await page.getByLabel('Weight, measured').fill('16')
  await page.getByRole('button', { name: 'Calculate' }).click()
  await expect(page.getByText('240 mg', { exact: true })).toBeVisible()
})

test('paper holds the card and the answer, and a leaflet no dose', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await page.evaluate(() => (window.print = () => {}))
  await ask(app, first)
  await page.getByRole('button', { name: /^Print/ }).click()
  await page.emulateMedia({ media: 'print' })
  await expect(page.getByText('500 to 1000 mg three times a day').first()).toBeVisible()
  await page.evaluate(() => dispatchEvent(new Event('afterprint')))
  await page.emulateMedia({ media: 'screen' })
  await facts(app).getByRole('button', { name: 'Leaflet' }).click()
  await page.emulateMedia({ media: 'print' })
  await expect(page.getByText('Your dose, written by your clinician')).toBeVisible()
  await expect(page.getByText('Draft: not reviewed by a clinician', { exact: false })).toBeVisible()
  await expect(page.getByText('500 to 1000 mg three times a day').first()).toBeHidden()
})

test('a clinic’s own record stands in the settings, and a faulty line is named', async ({ app }) => {
  const folder = join(app.data, 'records')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'local.jsonl'), '{"kind":"medicine"}\n')
  expect(existsSync(folder)).toBe(true)
  const page = await app.restart('SIGTERM')
  await page.evaluate(() => (location.hash = '#/settings'))
  await expect(page.getByText('local.jsonl, line 1')).toBeVisible()
})
