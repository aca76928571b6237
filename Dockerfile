# The registry as a container: configured by the environment, see
# docs/install.md.  BASE is any Debian from 12 on.
ARG BASE=debian:bookworm-slim

FROM $BASE AS build
WORKDIR /src
COPY util/deps util/
RUN util/deps build
COPY config ./
COPY src src
COPY ngx_registry_module ngx_registry_module
COPY util/build-module util/
RUN util/build-module build /ngx_http_registry_module.so && \
    strip --strip-unneeded /ngx_http_registry_module.so


FROM $BASE
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates nginx libcurl4 libexpat1 libyajl2 && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/* && \
    useradd --system --uid 5000 --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin registry && \
    install -d -m 1777 /var/lib/registry
COPY --from=build /ngx_http_registry_module.so /usr/lib/nginx/modules/
COPY conf /usr/share/ngx_registry_module/conf
COPY util/run /usr/share/ngx_registry_module/util/
COPY LICENSE /usr/share/ngx_registry_module/

# any user may be given with --user: the volume is writable for all, and only
# this one process is in here
USER registry
ENV REGISTRY_LISTEN=0.0.0.0:5000 REGISTRY_PATH=/var/lib/registry
VOLUME /var/lib/registry
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s --retries=3 \
    CMD ["/usr/share/ngx_registry_module/util/run", "--health"]
ENTRYPOINT ["/usr/share/ngx_registry_module/util/run", "--image"]
