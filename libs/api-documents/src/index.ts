export { asyncApiDocument, asyncApiYaml, type AsyncApiDocument } from './asyncapi-document.js';
export { expressPlayPage } from './expressplay-page.js';
export { messagingGraph } from './generated/messaging-graph.js';
export { messagingGraphOf, type MessagingGraph, type MessagingOfService } from './messaging-graph.js';
export { openApiDocument, type OpenApiDocument, triableDocument } from './openapi-document.js';
export { configurationPage, type DocumentedSetting, type DocumentedSettings, errorsPage, eventsPage } from './reference-pages.js';
