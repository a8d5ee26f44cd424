"""nginx, as it would serve captures: every answer is logged with the bytes that it sent."""
import contextlib
import getpass
import os
import shutil
import signal
import subprocess
import time

import pytest

from httpd import Server

CONFIGURATION = """
user {2}; daemon off; pid {0}/pid; error_log {0}/error; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  log_format ranges '$request_method $status $http_range $http_if_match $body_bytes_sent';
  access_log {0}/log ranges;
  client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u;
  scgi_temp_path {0}/s;
  server {{ listen 127.0.0.1:{1}; root {0}/www; }}
}}
"""


def free_port():
    with Server({}) as probe:
        return probe.httpd.server_port


def started(process, home):
    deadline = time.monotonic() + 10
    while not (home / "pid").exists() or not (home / "pid").read_text():
        assert process.poll() is None and time.monotonic() < deadline, (home / "error").read_text()
        time.sleep(0.02)


@contextlib.contextmanager
def serving(home):
    """(URL prefix, folder that it serves, log()) of an nginx that lives in the folder `home`; skips without one."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed")
    port = free_port()
    (home / "www").mkdir()
    (home / "conf").write_text(CONFIGURATION.format(home, port, getpass.getuser()))
    home.chmod(0o755)
    with subprocess.Popen([program, "-c", home / "conf", "-e", home / "error"]) as process:
        try:
            started(process, home)

            def log():
                time.sleep(0.1)
                return [line.split() for line in (home / "log").read_text().splitlines()]
            yield "http://127.0.0.1:%d/" % port, home / "www", log
        finally:
            process.send_signal(signal.SIGTERM)


def sent(log):
    """Bytes of all answers."""
    return sum(int(line[4]) for line in log)
