// SPDX-License-Identifier: Apache-2.0
/** The import table of ARCHITECTURE.md as data: a package may import the packages beside its name and no other. */
export const MAY_IMPORT = {
  core: [],
  attestation: ['core'],
  tlog: ['core'],
  bundle: ['core', 'attestation'],
  verify: ['core', 'attestation', 'tlog', 'bundle'],
  trust: ['core', 'attestation'],
  custody: ['core'],
  store: ['core'],
  log: ['core', 'tlog', 'custody', 'store'],
  gate: ['core', 'attestation', 'trust', 'custody', 'store', 'log'],
  boundary: ['core', 'attestation', 'custody'],
  x509: ['core'],
  ceremony: ['core', 'attestation', 'tlog', 'custody', 'trust', 'x509'],
  device: ['core'],
  'piv-card': [],
  label: ['core'],
  'build-record': ['core'],
  enrolment: ['core', 'attestation', 'x509'],
  api: ['core', 'attestation'],
  station: ['core', 'attestation', 'tlog', 'bundle', 'trust', 'custody', 'device', 'label', 'api'],
  line: ['core', 'attestation', 'tlog', 'bundle', 'trust', 'custody', 'store', 'log', 'api', 'enrolment'],
};

/** These run in a browser: nothing of Node, but for the one file that adapts its cryptography. */
const BROWSER_SAFE = ['core', 'attestation', 'tlog', 'bundle', 'verify'];

const importTable = Object.entries(MAY_IMPORT).map(([name, allowed]) => ({
  name: `import-table-${name}`,
  severity: 'error',
  from: { path: `^packages/${name}/src` },
  to: { path: '^(packages|apps|testing)/', pathNot: `^packages/(${[name, ...allowed].join('|')})/src` },
}));

export default {
  forbidden: [
    ...importTable,
    {
      name: 'packages-through-their-index',
      comment: "Another package's inside is its own business.",
      severity: 'error',
      from: { path: '^(packages|apps|testing)/([^/]+)/' },
      to: { path: '^packages/([^/]+)/src/', pathNot: ['^packages/[^/]+/src/index\\.ts$', '^$1/$2/'] },
    },
    {
      name: 'browser-safe',
      severity: 'error',
      from: { path: `^packages/(${BROWSER_SAFE.join('|')})/src`, pathNot: '^packages/core/src/platform/node\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'testing-stays-in-tests',
      severity: 'error',
      from: { pathNot: '^(testing|bench|vectors)/|/test/' },
      to: { path: '^testing/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '/src/', pathNot: '\\.d\\.ts$' }, to: {} },
    {
      name: 'declared-dependencies',
      severity: 'error',
      from: { path: '/src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@witnessmark/source', 'node', 'import', 'default'],
    },
  },
};
