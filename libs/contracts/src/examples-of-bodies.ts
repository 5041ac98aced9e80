const kidOfExamples = '0123456789abcdef0123456789abcdef';

/** What the examples of bodies are made of. They are taken as they are, once the cookie is one that Latchkey made. */
export const example = {
  cookie: 'Xq3mJ7dEwq0VvZ8n1yH2tA',
  kid: kidOfExamples,
  key: '000102030405060708090a0b0c0d0e0f',
  bought: { cookie: 'Xq3mJ7dEwq0VvZ8n1yH2tA', contentId: 'film-42', kids: [kidOfExamples], rights: { type: 'purchase' } },
  rental: { type: 'rental', availableUntil: '2099-12-31T23:59:59Z', playDurationSeconds: 172_800 },
} as const;
