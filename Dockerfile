# Every part of the system in one image; the command says which one a container is. A second one, `backup`, is the command
# line beside PostgreSQL's programs. Both are built from npm packages alone: buf, protoc-gen-es and tsc are development
# dependencies of the project.
FROM node:24-bookworm-slim AS build
WORKDIR /heddle
# Last in PATH, and no install scripts: what npm installs runs on the image's own Node, so a second one is not fetched.
ENV PATH=$PATH:/heddle/node_modules/.bin
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --loglevel=error
COPY buf.yaml buf.gen.yaml tsconfig.json tsconfig.build.json ./
COPY scripts/third-party.ts scripts/print-proto2.ts scripts/describe.ts scripts/
COPY proto proto
RUN node scripts/third-party.ts && buf generate
COPY src src
RUN node scripts/describe.ts && tsc -p tsconfig.build.json && cp -R gen/descriptors.binpb gen/docs dist/gen/

FROM node:24-bookworm-slim AS dependencies
WORKDIR /heddle
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --loglevel=error

# The command line beside pg_dump, pg_restore and psql of the very version that the server of docker-compose.yml has: older
# ones refuse to work with it.
FROM postgres:17 AS backup
WORKDIR /heddle
ENV NODE_ENV=production HEDDLE_HOME=/var/lib/heddle
RUN install -d -o postgres -g postgres -m 700 /var/lib/heddle/backups
COPY --from=dependencies /usr/local/bin/node /usr/local/bin/node
COPY package.json LICENSE ./
COPY --from=dependencies /heddle/node_modules node_modules
COPY --from=build /heddle/dist dist
USER postgres
ENTRYPOINT ["node", "--enable-source-maps", "dist/src/cli/main.js"]
CMD ["backup", "--help"]

FROM node:24-bookworm-slim
WORKDIR /heddle
# A container has an address of its own: it listens on all of it, and one admin port does for every part.
ENV NODE_ENV=production HOST=0.0.0.0 ADMIN_PORT=9000 HEDDLE_DATA=/var/lib/heddle
RUN install -d -o node -g node /var/lib/heddle /var/lib/heddle/keys
COPY package.json LICENSE ./
COPY --from=dependencies /heddle/node_modules node_modules
COPY --from=build /heddle/dist dist
USER node
HEALTHCHECK --interval=3s --timeout=3s --start-period=30s --retries=3 CMD ["node", "-e", \
  "fetch(`http://127.0.0.1:${process.env.ADMIN_PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["dist/src/cli/main.js", "--help"]
