import { asyncApiYaml, messagingGraph, openApiDocument, triableDocument } from '@latchkey/api-documents';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { CONFIGURATION } from './runtime.module.js';

/**
 * Serves the API's own description: `/openapi.json`, `/docs` (Swagger UI, with every file from this server, so that it
 * works without the internet) and `/asyncapi.yaml`. The service's configuration says where its two servers are. To be called before Nest's routes are made.
 */
export async function serveApiDocuments(app: NestFastifyApplication): Promise<void> {
  // Loaded here and not above: most services have no documents to serve, and it takes its time and memory.
  const { SwaggerModule } = await import('@nestjs/swagger');
  const { publicUrl, licenseUrl } = app.get<{ publicUrl: string; licenseUrl: string }>(CONFIGURATION);
  const openApi = openApiDocument({ gateway: publicUrl, licenseServer: new URL(licenseUrl).origin });
  const asyncApi = asyncApiYaml(messagingGraph);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.get('/openapi.json', (_request, reply) => reply.send(openApi));
  fastify.get('/asyncapi.yaml', (_request, reply) => reply.type('application/yaml').send(asyncApi));
  SwaggerModule.setup('docs', app, triableDocument(openApi, publicUrl) as unknown as OpenAPIObject, {
    raw: false,
    customSiteTitle: 'Latchkey API',
    swaggerOptions: {
      // Swagger UI would otherwise send the document's address to a validator on the internet.
      validatorUrl: null,
      // In local storage the API key would lie there for every later page of this origin; a reload asks for it again.
      persistAuthorization: false,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      deepLinking: true,
    },
  });
}
