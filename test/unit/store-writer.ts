// Owns the process that store-crash.test.ts kills: writes turns without end and names each state of one only after it is saved.
import { writeSync } from 'node:fs'
import { Conversations } from '../../app/store/conversations.ts'
import { openStore } from '../../app/store/db.ts'

const log = { error() {}, warn() {}, info() {} }
const talks = new Conversations(openStore(process.argv[2]!, { log }))
// at once, so that nothing is acknowledged later than it is saved, nor lost in a buffer
const say = (state: string, id: string) => writeSync(1, `${state} ${id}\n`)
talks.recoverUnfinished()
for (let n = 0; ; n++) {
  const { turn } = talks.createTurn({
    conversation: null,
    question: `Dose ${n}?`,
    classification: { category: 'general', decidedBy: 'rules', matched: [], scores: {} },
    understood: [],
  })
  say('asked', turn.id)
  talks.saveProgress(turn.id, `Half of ${turn.id}`, '')
  say('half', turn.id)
  talks.finishTurn(turn.id, { status: 'complete', answer: `All of ${turn.id}`, reasoning: '', provenance: null, error: null })
  say('finished', turn.id)
}
