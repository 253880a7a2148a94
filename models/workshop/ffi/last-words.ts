// Owns what of llama.cpp's standard error is repeated to a person: the lines that give a reason, short, without folders of this machine.

/** Characters of standard error that are worth keeping while a process runs. */
export const HEARD = 32_768
/** Characters in a message. */
const SAID = 600
const REASON = /error|fail|assert|abort|terminate|cannot|unable|unknown|missing|expect|invalid|incompatible|out of memory|bad_alloc/i
/** Lines of a log that hold such a word and give no reason. */
const CHATTER = /^(print_info|set_abort_callback|llama_model_loader: - kv)/
const FOLDER = /(?<![\w.])(?:[A-Za-z]:)?[\\/](?:[^\s'":\\/]+[\\/])+/g

/** The last lines of `heard` that give a reason, or else the very last ones; oldest first. */
export function lastWords(heard: string): string[] {
  const lines = heard.replace(FOLDER, '').split('\n')
  const whole = lines.map((line) => line.trim()).filter((line) => line !== '')
  const reasons = whole.filter((line) => REASON.test(line) && !CHATTER.test(line))
  const kept: string[] = []
  let room = SAID
  for (const line of (reasons.length > 0 ? reasons : whole).toReversed()) {
    if ((room -= line.length) < 0 && kept.length > 0) break
    kept.unshift(line.slice(0, SAID))
  }
  return kept
}
