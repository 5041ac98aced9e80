import type { MessagingGraph } from '../messaging-graph.js';

/** Made by `npm run generate` from every service's subscriptions.ts; a check fails when it drifts. Do not edit. */
export const messagingGraph: MessagingGraph = [];
