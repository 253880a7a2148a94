// Owns the calculators on the page: their list, which one is open, and where it was opened from.
import type { CalculatorInfo } from '../../app/contract/clinical.ts'
import type { PageClient } from './page.ts'

export class Helpers {
  list = $state.raw<readonly CalculatorInfo[]>([])
  medicines = $state.raw<readonly string[]>([])
  /** Id of the calculator that is shown; 'child-dose' for the dose by weight. */
  chosen = $state('child-dose')
  readonly client: PageClient

  constructor(client: PageClient) {
    this.client = client
  }

  /** Reads the list once. */
  async load(): Promise<void> {
    if (this.list.length > 0) return
    const [list, medicines] = await Promise.all([this.client.call('calculator.list', null), this.client.call('calculator.medicines', null)])
    this.list = list
    this.medicines = medicines
  }

  named(ids: readonly string[]): CalculatorInfo[] {
    return this.list.filter(({ id }) => ids.includes(id))
  }

  /** Goes to the page of calculators with this one open. */
  open(id: string): void {
    this.chosen = id
    location.hash = '#/helpers'
  }
}
