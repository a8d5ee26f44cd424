"""nginx on loopback, serving one folder, for as long as a case needs it; below limited/ each connection gets
20 MiB/s."""

import socket
import subprocess
import time
from pathlib import Path

from measure import Failed

CONFIGURATION = """
daemon off;
master_process off;
pid {scratch}/nginx.pid;
error_log {scratch}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {scratch}/body;
  proxy_temp_path {scratch}/proxy;
  fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi;
  scgi_temp_path {scratch}/scgi;
  sendfile on;
  server {{
    listen 127.0.0.1:{port};
    root {folder};
    location /limited/ {{
      alias {folder}/;
      limit_rate 20m;
      sendfile_max_chunk 128k;
    }}
  }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    def __init__(self, program, folder, scratch):
        self._program = program
        self._scratch = Path(scratch)
        self._folder = Path(folder).resolve()
        self.port = free_port()
        self._process = None

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}"

    def __enter__(self):
        configuration = self._scratch / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(
            scratch=self._scratch, folder=self._folder, port=self.port), encoding="utf-8")
        self._process = subprocess.Popen(
            [self._program, "-p", self._scratch, "-c", configuration,
             "-e", self._scratch / "error.log"], stderr=subprocess.DEVNULL)
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.__exit__()
        raise Failed("nginx did not start: " + self._said())

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()

    def _said(self):
        log = self._scratch / "error.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return lines[-1] if lines else "no reason given"
