# onevisor as an image. Take from it what you need:
#   COPY --from=onevisor /onevisor /usr/local/bin/
# or, for a root file system that is read-only and has no writable folder at all, the native addon too:
#   COPY --from=onevisor /onevisor /onevisor.node /usr/local/bin/
# The licences of what is in it are in /THIRD_PARTY_LICENSES.txt. Only the files, on your disk:  docker build --target files --output type=local,dest=. .

FROM node:24-bookworm AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run --silent build

FROM scratch AS files
COPY --from=build /src/dist/onevisor /src/dist/onevisor.node /src/dist/THIRD_PARTY_LICENSES.txt /

FROM debian:bookworm-slim
COPY --from=files / /
RUN for name in onevisor supervisord supervisorctl echo_supervisord_conf pidproxy; do ln -s /onevisor "/usr/local/bin/$name"; done
ENTRYPOINT ["/onevisor"]
