export { fileStore } from './stores/file-store.js';
