// Owns the words by which the page tests find things: what a person sees and a screen reader says, never a class name.
import { expect, type App } from './hosts.ts'

export const first = 'What is the adult dose of amoxicillin for otitis media?'

/** Leaves the welcome screen without asking. */
export async function skipWelcome({ page }: App): Promise<void> {
  await page
    .getByRole('button', { name: 'Go on without asking' })
    .or(page.getByRole('link', { name: 'Go on without asking' }))
    .click()
  await expect(field({ page })).toBeVisible()
}

export const field = ({ page }: Pick<App, 'page'>) => page.getByRole('textbox', { name: 'Question', exact: true })
export const answers = ({ page }: Pick<App, 'page'>) => page.getByRole('article')
export const history = ({ page }: Pick<App, 'page'>) =>
  page.getByRole('navigation', { name: 'Earlier questions' }).or(page.getByRole('complementary', { name: 'Earlier questions' }))

export const heading = ({ page }: Pick<App, 'page'>, question: string) => page.getByRole('heading', { level: 2, name: question, exact: true })
/** The model's page under one question, the newest if it was asked more than once. */
export const answerTo = ({ page }: Pick<App, 'page'>, question: string) => page.getByRole('article', { name: question, exact: true }).last()

/** Asks and waits for the end of the answer; returns its region. */
export async function ask(app: Pick<App, 'page'>, question: string) {
  await field(app).fill(question)
  await app.page.keyboard.press('Enter')
  const answer = answerTo(app, question)
  await expect(answer.getByRole('button', { name: /^Ask again/ })).toBeVisible({ timeout: 10_000 })
  return answer
}
