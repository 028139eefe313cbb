# Two images of the same service: `docker build --target cpu .` (the default) and `--target cuda`.
# Both run `metercrop serve`; neither holds PyTorch, a compiler or a package index's address. For x86-64:
# jpeglib, which cuts a JPEG's own coefficients, has no wheel for Linux on ARM.

# Pinned by tag, not by digest: a digest would also freeze Debian's security fixes, and every
# Python package, which is what decides behaviour, is pinned by hash in the locks.
FROM python:3.13-slim-trixie AS python

# The native JPEG code, without which everything works too, slower. Debian holds the compiler at one
# version as long as the tag above names the same release.
FROM python AS native
WORKDIR /src
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cargo \
    && rm -rf /var/lib/apt/lists/*
COPY service/imaging/native ./
RUN cargo build --release --locked

# The packages go into a virtual environment that is copied as a whole; pip stays outside of it.
FROM python AS packages-cpu
WORKDIR /src
RUN python3 -m venv --without-pip /opt/metercrop
COPY requirements-cpu.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip --python /opt/metercrop/bin/python install \
        --require-hashes --only-binary :all: -r requirements-cpu.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY --from=native /src/target/release/libmetercrop_jpeg.so service/imaging/_jpeg_native.so
COPY models models
COPY migrations migrations
# The lock holds the build backend too, so nothing is fetched here.
RUN python3 -m pip --python /opt/metercrop/bin/python install --no-deps --no-build-isolation .

FROM python AS runtime
LABEL org.opencontainers.image.title="metercrop" \
      org.opencontainers.image.description="Keeps what matters of a meter photo: an exact crop of the reading, and proof of what it saved." \
      org.opencontainers.image.licenses="Apache-2.0"
# A fixed number, so that a volume's files keep their owner from one image to the next and
# Kubernetes can see that it is not root.
RUN groupadd --gid 10001 metercrop \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home \
        --home-dir /data --shell /usr/sbin/nologin metercrop \
    && install -d -o 10001 -g 10001 -m 0750 /data
# /data is all that is ever written besides /tmp, so the root file system can be read-only.
ENV PATH=/opt/metercrop/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    METERCROP_HOME=/data
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a store that is away for a minute is no reason to kill the service.
# http.client, since urllib would send this through a proxy where one is set.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python3", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
USER 10001:10001
ENTRYPOINT ["metercrop"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]

FROM runtime AS cpu
COPY --from=packages-cpu /opt/metercrop /opt/metercrop

FROM python AS packages-cuda
WORKDIR /src
RUN python3 -m venv --without-pip /opt/metercrop
COPY requirements-cuda.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip --python /opt/metercrop/bin/python install \
        --require-hashes --only-binary :all: -r requirements-cuda.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY --from=native /src/target/release/libmetercrop_jpeg.so service/imaging/_jpeg_native.so
COPY models models
COPY migrations migrations
RUN python3 -m pip --python /opt/metercrop/bin/python install --no-deps --no-build-isolation .

# CUDA 13 and cuDNN 9 come as NVIDIA's own wheels, in the versions ONNX Runtime asks for; of the
# machine only the driver is needed, which the NVIDIA container toolkit brings in for these two.
FROM runtime AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    METERCROP_DEVICE=cuda
COPY --from=packages-cuda /opt/metercrop /opt/metercrop

# What `docker build .` makes: the image that runs everywhere.
FROM cpu
