// Owns what lint demands: no lost promise, no unhandled case, no `any`, the layers, 300 lines a file and a first line that says what it owns.
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import { fileURLToPath } from 'node:url'
import tseslint from 'typescript-eslint'
import { firstLineRule } from './lint/first-line.mjs'
import { layersRule } from './lint/layers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const typed = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/only-throw-error': 'error',
}
/** ESLint's own findings of what cannot be meant; its recommended set lives in a package that nothing else needs. */
const mistakes = [
  'no-async-promise-executor',
  'no-cond-assign',
  'no-control-regex',
  'no-debugger',
  'no-dupe-else-if',
  'no-eval',
  'no-fallthrough',
  'no-implied-eval',
  'no-irregular-whitespace',
  'no-loss-of-precision',
  'no-misleading-character-class',
  'no-new-func',
  'no-prototype-builtins',
  'no-regex-spaces',
  'no-self-assign',
  'no-self-compare',
  'no-sparse-arrays',
  'no-unreachable',
  'no-unsafe-finally',
  'no-unused-private-class-members',
  'no-useless-catch',
  'no-useless-escape',
  'no-var',
  'require-yield',
  'use-isnan',
  'valid-typeof',
]
const printing = ['app/host/ask-cli.ts', 'app/host/headless.ts', 'app/bootstrap/**']

export default tseslint.config(
  { ignores: ['**/node_modules/', 'out/', 'test/results/', 'models/starter/', 'native/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,mts,mjs,js,svelte}'],
    extends: [tseslint.configs.base],
    plugins: { rushlight: { rules: { layers: layersRule, 'first-line': firstLineRule } } },
    languageOptions: { globals: { ...globals.node } },
    rules: {
      ...Object.fromEntries(mistakes.map((rule) => [rule, 'error'])),
      'rushlight/layers': 'error',
      'rushlight/first-line': 'error',
      'max-lines': ['error', { max: 300 }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'prefer-const': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      '@typescript-eslint/ban-ts-comment': 'error',
    },
  },
  // TypeScript finds these itself in the rest
  { files: ['**/*.mjs'], rules: { 'no-undef': 'error' } },
  {
    files: ['**/*.{ts,mts}'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: typed,
  },
  svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: { parser: tseslint.parser, projectService: true, tsconfigRootDir: root, extraFileExtensions: ['.svelte'] },
    },
    // $props() must be taken apart with let
    rules: {
      ...typed,
      'prefer-const': 'off',
      'svelte/prefer-const': 'error', // a private Map in a state class is an index, not something that a view reads
      'svelte/prefer-svelte-reactivity': 'off',
      'svelte/no-at-html-tags': 'error',
    },
  },
  { files: ['app/**', 'renderer/**'], ignores: printing, rules: { 'no-console': 'error' } },
)
