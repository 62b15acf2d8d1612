# onevisor as an image. Build it with  docker build -t onevisor .  and take everything from it:
#   COPY --from=onevisor /usr/local/bin/ /usr/local/bin/
# That is the executable and the links supervisord, supervisorctl, echo_supervisord_conf and pidproxy. The executable
# alone, which is enough for any image, also one FROM scratch:
#   COPY --from=onevisor /onevisor /usr/local/bin/
# The licences of its parts are in /THIRD_PARTY_LICENSES.txt.
#
# Nothing else is in the image. So its last step shows that the executable needs nothing else.
#
# For another processor:  docker build --platform linux/arm64 .  The compiler runs on this machine's processor; only the
# last step needs emulation (binfmt_misc). Without emulation, or to have the files on your disk:
#   docker build --platform linux/arm64 --target files --output type=local,dest=. .

FROM --platform=$BUILDPLATFORM node:24-bookworm AS build
WORKDIR /src
# A cross compiler, if the image is for another processor than that of this machine.
ARG TARGETARCH
RUN case "$TARGETARCH" in \
      "$(dpkg --print-architecture)") exit ;; \
      amd64) packages="g++-x86-64-linux-gnu libc6-dev-amd64-cross" ;; \
      arm64) packages="g++-aarch64-linux-gnu libc6-dev-arm64-cross" ;; \
    esac; \
    apt-get update && apt-get install -y --no-install-recommends $packages && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
# For onevisor --version --json:  docker build --build-arg SOURCE_COMMIT=$(git rev-parse HEAD) .
ARG SOURCE_COMMIT
RUN npm run --silent build -- --arch "$TARGETARCH" --out /made
# The former path of the executable.
RUN mkdir /former && ln -s usr/local/bin/onevisor /former/onevisor

FROM scratch AS files
COPY --from=build /made/ /

FROM scratch
COPY --from=build /former/ /
COPY --from=files /onevisor /usr/local/bin/
COPY --from=files /THIRD_PARTY_LICENSES.txt /
RUN ["/usr/local/bin/onevisor", "install", "/usr/local/bin"]
ENTRYPOINT ["/usr/local/bin/onevisor"]
