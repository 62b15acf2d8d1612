# onevisor as an image. Build it with  docker build -t onevisor .  and take everything from it:
#   COPY --from=onevisor /usr/local/bin/ /usr/local/bin/
# That is the executable and the links supervisord, supervisorctl, echo_supervisord_conf and pidproxy. The executable
# alone, which is enough for any image, also one FROM scratch:
#   COPY --from=onevisor /onevisor /usr/local/bin/
# The licences of its parts are in /THIRD_PARTY_LICENSES.txt. To have the files on your disk:
#   docker build --target files --output type=local,dest=. .

FROM node:24-bookworm AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
# For onevisor --version --json:  docker build --build-arg SOURCE_COMMIT=$(git rev-parse HEAD) .
ARG SOURCE_COMMIT
RUN npm run --silent build

FROM scratch AS files
COPY --from=build /src/dist/onevisor /src/dist/THIRD_PARTY_LICENSES.txt /

FROM debian:bookworm-slim
COPY --from=files /onevisor /usr/local/bin/
COPY --from=files /THIRD_PARTY_LICENSES.txt /
RUN onevisor install /usr/local/bin && ln -s usr/local/bin/onevisor /
ENTRYPOINT ["onevisor"]
