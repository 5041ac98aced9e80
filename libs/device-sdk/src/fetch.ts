/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: { method: string; headers: Record<string, string>; body?: string; cache: 'no-store' }) => Promise<Response>;
