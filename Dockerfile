# One image for every service: which one it runs is the command's choice. Built in steps so that neither the compiler
# nor the tests nor what standalone needs (an embedded PostgreSQL, a Node of its own) reach production.

# Only the manifests, so that dependencies are installed anew only when they change.
FROM node:24-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY apps apps
COPY libs libs
COPY e2e e2e
COPY tools tools
RUN find apps libs e2e tools -type f ! -name package.json -delete && find apps libs e2e tools -type d -empty -delete

FROM node:24-slim AS build
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error
COPY tsconfig.base.json ./
COPY libs libs
COPY apps apps
RUN node_modules/.bin/tsc --build apps/cookie/tsconfig.lib.json apps/device-registry/tsconfig.lib.json \
    apps/token-issuer/tsconfig.lib.json apps/license-server/tsconfig.lib.json apps/gateway/tsconfig.lib.json \
  && mkdir /built && find apps libs -path '*/dist/*.js' -type f -exec cp --parents {} /built \;

FROM node:24-slim AS dependencies
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error \
  && rm -rf e2e tools apps/standalone libs/device-sdk libs/embedded-postgres libs/kits \
  && find node_modules -xtype l -delete \
  && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete

FROM node:24-slim
ENV NODE_ENV=production LATCHKEY_HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=build /built ./
COPY deploy/healthcheck.mjs deploy/healthcheck.mjs
USER node
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=5 CMD ["node", "deploy/healthcheck.mjs"]
CMD ["node", "apps/gateway/dist/main.js"]
