# G6 in a container: not root, nothing writable but the data (/var/lib/g6) and /tmp. See compose.yaml.
#   docker build -t g6 . && docker run --rm --read-only --tmpfs /tmp -v g6:/var/lib/g6 g6 --run-once

FROM python:3.11.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/g6
COPY requirements.lock /src/
RUN /opt/g6/bin/pip install --require-hashes --only-binary :all: -r /src/requirements.lock
COPY pyproject.toml README.md LICENSE /src/
COPY config /src/config
COPY alerts /src/alerts
COPY g6 /src/g6
RUN /opt/g6/bin/pip install --no-deps /src && /opt/g6/bin/pip uninstall --yes pip setuptools

FROM python:3.11.13-slim-bookworm
COPY --from=build /opt/g6 /opt/g6
# The numbers are what a read-only, rootless runtime compares; the name is for people.
RUN groupadd --system --gid 10001 g6 \
    && useradd --system --uid 10001 --gid g6 --home-dir /var/lib/g6 --shell /usr/sbin/nologin g6 \
    && install -d -o g6 -g g6 -m 0700 /var/lib/g6
ENV PATH=/opt/g6/bin:$PATH \
    HOME=/var/lib/g6 \
    XDG_STATE_HOME=/var/lib \
    MPLCONFIGDIR=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1 \
    MALLOC_MMAP_THRESHOLD_=131072 \
    MALLOC_ARENA_MAX=2
USER 10001:10001
WORKDIR /var/lib/g6
VOLUME /var/lib/g6
EXPOSE 9108
# Whether the loop lives, asked where the agent says that it listens (the newest status.json in the volume), or where the
# environment does. A market that is closed or a broker that does not answer is no reason to start it again.
HEALTHCHECK --interval=30s --timeout=5s --start-period=3m --retries=3 \
    CMD ["python", "-c", "import http.client, json, os, pathlib, urllib.parse\nstates = [path for depth in ('.', '*', '*/*') for path in pathlib.Path().glob(depth + '/status.json')]\nnewest = max(states, key=lambda path: path.stat().st_mtime, default=None)\nurl = json.loads(newest.read_bytes())['agent']['url'] if newest else ''\nport = os.environ.get('G6_METRICS__PORT') or os.environ.get('G6_PORT') or 9108\nconnection = http.client.HTTPConnection(urllib.parse.urlsplit(url or f'http://127.0.0.1:{port}').netloc, timeout=4)\nconnection.request('GET', '/healthz')\nraise SystemExit(connection.getresponse().status != 200)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["g6"]
