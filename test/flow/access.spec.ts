// Owns the accessibility tests: axe on every view, light and dark, wide and narrow.
import { AxeBuilder } from '@axe-core/playwright'
import { ask, field, first, skipWelcome } from './page.ts'
import { expect, test, type App } from './hosts.ts'

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
async function clean({ page }: App, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze()
  expect(violations.map(({ id, nodes }) => `${where}: ${id} ${nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([])
}

for (const scheme of ['light', 'dark'] as const) {
  for (const size of [
    { width: 1366, height: 768 },
    { width: 900, height: 800 },
  ]) {
    test.describe(`${scheme}, ${size.width} wide`, () => {
      test.use({ scheme, size })
      test('every view is free of axe violations', async ({ app }) => {
        const { page } = app
        await clean(app, 'welcome')
        await skipWelcome(app)
        await clean(app, 'empty')
        await ask(app, first)
        await clean(app, 'answer')
        await field(app).fill('What are the symptoms of asthma?')
        await clean(app, 'typing')
        await page.keyboard.press('F1')
        await expect(page.getByRole('dialog')).toBeVisible()
        await clean(app, 'keys')
        await page.keyboard.press('Escape')
        for (const view of ['models', 'settings']) {
          await page.evaluate((hash) => (location.hash = `#/${hash}`), view)
          await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
          await clean(app, view)
        }
      })
    })
  }
}
