import preset from '../jest.preset.mjs';

// The fault suite's own parts are tested beside their sources.
export default { ...preset, displayName: 'e2e', testMatch: [...preset.testMatch, '<rootDir>/faults/**/*.spec.ts'] };
