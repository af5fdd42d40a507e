// SPDX-License-Identifier: Apache-2.0
import tseslint from 'typescript-eslint';

/** Outside things reach the packages through ports: time as a Clock, randomness as functions, configuration as values. */
const AMBIENT = [
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: 'Time enters as a Clock.' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time enters as a Clock.' },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Randomness enters as a function.',
  },
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'Configuration enters as a value.',
  },
];

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', 'demo-data/', 'coverage/', 'vectors/**/*.json', '.cache/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Exports have names.' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A cast states what noUncheckedIndexedAccess cannot know; `!` would say the same without saying what.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Exports have names.' },
        ...AMBIENT,
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['**/test/**/*.ts', 'testing/**/*.ts', 'bench/**/*.ts', 'vectors/**/*.ts'],
    rules: {
      // Fixtures are closures, taken apart where they are used.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['vitest.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
);
