// Owns the lint rule that the first line of every source file is a comment saying what the file owns.

/** @type {import('eslint').Rule.RuleModule} */
export const firstLineRule = {
  meta: { type: 'suggestion', schema: [], messages: { missing: 'Line 1 must be a comment that says what this file owns.' } },
  create(context) {
    return {
      Program(node) {
        const [first = '', second = ''] = context.sourceCode.lines
        const line = first.startsWith('#!') ? second : first
        const words = line.match(/^(?:\/\/|\/\*+|<!--)\s*(.*)$/)?.[1] ?? ''
        // a directive to a tool is a comment that says nothing
        if (!/\p{L}{2}/u.test(words) || /^(eslint|prettier|@ts-)/.test(words))
          context.report({ node, loc: { line: 1, column: 0 }, messageId: 'missing' })
      },
    }
  },
}
