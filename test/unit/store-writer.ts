// Owns the process that store.test.ts kills: writes turns without end and names each one only after it is saved.
import { Conversations } from '../../app/store/conversations.ts'
import { openStore } from '../../app/store/db.ts'

const log = { error() {}, warn() {}, info() {} }
const talks = new Conversations(openStore(process.argv[2]!, { log }))
talks.recoverUnfinished()
for (;;) {
  const { turn } = talks.createTurn({
    conversation: null,
    question: 'Dose?',
    classification: { category: 'general', decidedBy: 'rules', matched: [], scores: {} },
    understood: [],
  })
  process.stdout.write(`${turn.id}\n`)
  talks.saveProgress(turn.id, 'Half', '')
  talks.finishTurn(turn.id, { status: 'complete', answer: 'Half and half', reasoning: '', provenance: null, error: null })
}
