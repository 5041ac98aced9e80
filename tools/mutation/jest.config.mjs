import preset from '../../jest.preset.mjs';

// The suites that need no server, of the projects whose sources are mutated.
export default {
  ...preset,
  rootDir: '../..',
  testMatch: [
    '<rootDir>/libs/crypto/{src,test}/**/*.{spec,test}.ts',
    '<rootDir>/apps/{token-issuer,license-server}/src/**/*.spec.ts',
    '<rootDir>/apps/license-server/test/*.property.test.ts',
    '<rootDir>/apps/license-server/test/hostile/accepted-by-jose.test.ts',
  ],
};
