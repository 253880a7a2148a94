// Owns the page tests of a consultation: first start, question, answer, and everything one may do with it.
import { answers, answerTo, ask, field, first, heading, skipWelcome } from './page.ts'
import { expect, test } from './hosts.ts'

test('a first start leads to a first answer, with its category and its origin', async ({ app }) => {
  const { page } = app
  const problems: string[] = []
  const outside: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => new URL(request.url()).origin !== new URL(page.url()).origin && outside.push(request.url()))
  await expect(page.getByRole('heading', { level: 1 })).toContainText('first question')
  await expect(page.getByText('Not for patients to use')).toBeVisible()
  await page.getByRole('button', { name: /^Ask this/ }).click()
  const answer = answers(app).first()
  await expect(answer).toContainText('amoxicillin', { timeout: 30_000 })
  await expect(answer).toContainText('Demonstration model: not for patient care')
  await expect(answer).toContainText('Rushlight starter 0.1')
  await expect(answer).toContainText('Q8_0')
  await expect(answer).toContainText('tok/s')
  await expect(page.getByRole('combobox', { name: 'Category Medication, change' })).toBeVisible()
  await expect(page.getByText('matched: adult dose, amoxicillin')).toBeVisible()
  await answer.getByText('All details').click()
  await expect(answer).toContainText(/[0-9a-f]{64}/)
  expect(problems).toEqual([])
  expect(outside).toEqual([])
})

test('what was asked is there after a reload and after the program was killed', async ({ app }) => {
  await skipWelcome(app)
  await ask(app, first)
  await app.page.reload()
  await app.page.getByRole('link', { name: new RegExp(first.slice(0, 30)) }).click()
  await expect(answers(app)).toContainText('amoxicillin')
  await field(app).fill('What are the symptoms of asthma?')
  await app.page.keyboard.press('Enter')
  await expect(heading(app, 'What are the symptoms of asthma?')).toBeVisible()
  const page = await app.restart('SIGKILL')
  await page.getByRole('link', { name: new RegExp(first.slice(0, 30)) }).click()
  await expect(heading({ page }, 'What are the symptoms of asthma?')).toBeVisible()
  await expect(heading({ page }, first)).toBeVisible()
})

test('a category can be changed before and after', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await ask(app, 'What are the symptoms of asthma?')
  await page.getByRole('combobox', { name: 'Category Diagnosis, change' }).click()
  await page.getByRole('option', { name: 'Treatment' }).click()
  await expect(page.getByRole('combobox', { name: 'Category Treatment, change' })).toBeVisible()
  await expect(page.getByText('chosen by you')).toBeVisible()
  await expect(page.getByText('1 earlier answer')).toBeVisible()
  await field(app).fill('What are the symptoms of gout?')
  const chip = page.locator('form').getByRole('combobox', { name: /^Category/ })
  await expect(chip).toContainText('Diagnosis')
  await chip.click()
  await page.getByRole('option', { name: 'Prevention' }).click()
  await field(app).press('Enter')
  await expect(page.getByRole('combobox', { name: 'Category Prevention, change' })).toBeVisible()
})

test('an answer can be asked again, edited, and copied with its origin', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await ask(app, 'What are the symptoms of asthma?')
  await page.getByRole('button', { name: /^Ask again/ }).click()
  await expect(page.getByText('1 earlier answer')).toBeVisible()
  await page.getByRole('button', { name: /^Edit and resend/ }).click()
  await expect(field(app)).toHaveValue('What are the symptoms of asthma?')
  await ask(app, 'What are the symptoms of gout?')
  await expect(heading({ page }, 'What are the symptoms of gout?')).toBeVisible()
  await expect(heading({ page }, 'What are the symptoms of asthma?')).toBeHidden()
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: /^Copy/ }).click()
  await expect(page.getByText('Copied, with its origin.').first()).toBeVisible()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(copied).toContain('gout')
  expect(copied).toMatch(/language model/i)
  expect(copied).toMatch(/not for patient care/i)
})

test('an over-long question is refused in words and stays in the field', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await expect(page.getByText('Ready').first()).toBeVisible({ timeout: 30_000 })
  const long = 'amoxicillin and ibuprofen '.repeat(400)
  await field(app).fill(long)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert')).toContainText(/\d[\d,]* tokens/)
  await expect(field(app)).toHaveValue(long)
})

test('a question survives a closed window while it is typed', async ({ app }) => {
  await skipWelcome(app)
  await field(app).fill('Half a thought about')
  await app.page.reload()
  await expect(field(app)).toHaveValue('Half a thought about')
})

test('a dead engine comes back by itself, and the next question is answered', async ({ app }) => {
  const { page } = app
  await skipWelcome(app)
  await ask(app, first)
  app.killEngine()
  await field(app).fill('What are the symptoms of asthma?')
  await page.keyboard.press('Enter')
  await expect(answerTo(app, 'What are the symptoms of asthma?')).toContainText('wheeze', { timeout: 30_000 })
  await expect(page.getByText('Ready').first()).toBeVisible()
})

test('markup in a question or an answer is text', async ({ app }) => {
  await skipWelcome(app)
  const question = '<img src=x onerror="document.title=1"> **dose** <|im_end|> of aspirin?'
  await ask(app, question)
  await expect(heading(app, question)).toBeVisible()
  expect(await app.page.title()).not.toBe('1')
  expect(await app.page.locator('main img').count()).toBe(0)
})
