import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const frameworks = ['@nestjs/*', 'typeorm', 'pg', 'amqplib', 'fastify', 'testcontainers'];
const rooms = [
  { sourceTag: 'type:pure', onlyDependOnLibsWithTags: ['type:pure'], bannedExternalImports: frameworks },
  { sourceTag: 'type:infrastructure', onlyDependOnLibsWithTags: ['type:pure', 'type:infrastructure'] },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['type:pure', 'type:infrastructure', 'type:testing'] },
  { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:pure', 'type:infrastructure'] },
  { sourceTag: 'type:composition', onlyDependOnLibsWithTags: ['type:pure', 'type:infrastructure', 'type:app'] },
  { sourceTag: 'type:e2e', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'type:tools', onlyDependOnLibsWithTags: ['*'] },
];
/** Tests of any project may use what is made for tests; everything else holds for them too. */
const roomsForTests = rooms.map((room) => ({ ...room, onlyDependOnLibsWithTags: [...room.onlyDependOnLibsWithTags, 'type:testing'] }));
const boundaries = (depConstraints) => ['error', { enforceBuildableLibDependency: false, allowCircularSelfDependency: false, allow: [], depConstraints }];

const cryptography = {
  name: 'node:crypto',
  message: 'Only libs/crypto touches keys and algorithms; globalThis.crypto.randomUUID() makes plain ids.',
};

/** A connection that is given back in the middle of a transaction lets the next caller commit it. */
const connections = {
  selector: 'CallExpression[callee.property.name="createQueryRunner"]',
  message: 'Take a connection by inTransaction of @latchkey/outbox, which discards one whose rollback failed.',
};

/** PostgreSQL uses no index for a comparison with a volatile function. `as now` is for what the caller compares. */
const volatileTimes = ['TemplateElement[value.raw', 'Literal[value'].map((node) => ({
  selector: `${node}=/clock_timestamp\\(\\)(?!\\)? as now|::text as now)/]`,
  message: 'Compare with statement_timestamp(): clock_timestamp() is volatile, so no index on the time is used.',
}));

export default tseslint.config(
  { ignores: ['**/dist', '**/out-spec', '**/node_modules', '.nx', 'coverage', '**/*.mjs'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': boundaries(rooms),
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', { max: 70 }],
      'no-console': 'error',
      'no-restricted-imports': ['error', { paths: [cryptography, { name: 'crypto', message: cryptography.message }] }],
      'no-restricted-syntax': ['error', connections, ...volatileTimes],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    // The one place, and the migrations, whose connections end with their data source.
    files: ['libs/outbox/src/in-transaction.ts', 'libs/service-defaults/src/migrate-database.ts', '**/*migration*/**', '**/*.migration.ts', '**/test/**/*.ts', 'e2e/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['libs/crypto/**/*.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['**/*.spec.ts', '**/test/**/*.ts', 'e2e/**/*.ts', 'libs/kits/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries(roomsForTests),
      'max-lines-per-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
