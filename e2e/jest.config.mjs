import preset from '../jest.preset.mjs';

// The parts of the fault suite and of the bench are tested beside their sources.
export default { ...preset, displayName: 'e2e', testMatch: [...preset.testMatch, '<rootDir>/{bench,faults}/**/*.spec.ts'] };
