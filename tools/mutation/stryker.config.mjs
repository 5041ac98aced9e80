// `npm run mutation [-- --mutate <file>,<file>]`: docs/mutation-testing.md says what is mutated and how to read it.
export default {
  packageManager: 'npm',
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  jest: { projectType: 'custom', configFile: 'tools/mutation/jest.config.mjs', enableFindRelatedTests: true },
  coverageAnalysis: 'perTest',
  mutate: [
    'libs/crypto/src/*.ts',
    'apps/token-issuer/src/{purchase,token,registration-token,signing-key-lifecycle,confidence-policy}.ts',
    'apps/token-issuer/src/correlated-token/sale.ts',
    'apps/license-server/src/license/{check-proof,check-token,credentials,license-request,refusal,admission}.ts',
    'apps/license-server/src/license/{denial-quota,license-keys}.ts',
    '!**/*.spec.ts',
    '!libs/crypto/src/index.ts',
  ],
  ignorePatterns: ['dist', 'out-spec', '.nx', 'coverage', 'test-results'],
  tempDirName: '.stryker-tmp',
  reporters: ['clear-text', 'progress', 'json'],
  jsonReporter: { fileName: 'test-results/mutation.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  concurrency: 2,
  timeoutMS: 30_000,
};
