/** `up`: publishes. `blocked`: the broker lacks memory or disk and takes nothing for now. `down`: there is no connection. */
export type ConnectionState = 'up' | 'blocked' | 'down';
