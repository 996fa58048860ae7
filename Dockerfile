# One image for all: the command says which app runs, as in docker-compose.yml and k8s/.
#   docker run holdfast node dist/apps/inventory/src/main.js

FROM node:24-bookworm-slim AS base
WORKDIR /app
# The image is Node 24 itself, so no install script has anything to do: the npm package "node" would only add a second one.
ENV NPM_CONFIG_IGNORE_SCRIPTS=true NPM_CONFIG_UPDATE_NOTIFIER=false
COPY package.json package-lock.json .npmrc ./

FROM base AS build
RUN npm ci
COPY . .
RUN npm run build

# Without the optional packages, which are the embedded database and the compiler.
FROM base AS dependencies
RUN npm ci --omit=dev --omit=optional && npm cache clean --force

FROM node:24-bookworm-slim
ENV NODE_ENV=production
# Room for young objects: what is under way lives for a few batches, and is not copied again and again.
ENV NODE_OPTIONS=--max-semi-space-size=64
WORKDIR /app
COPY --from=dependencies /app/package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN install -d -o node -g node keys
USER node
EXPOSE 3000 8080
STOPSIGNAL SIGTERM
# No HEALTHCHECK: the port to ask depends on the command; compose and Kubernetes say it for each app.
CMD ["node", "dist/apps/gateway/src/main.js"]
