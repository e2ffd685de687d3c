"""nginx with nchan, which keeps its channels in Redis: where it is, and how it is set up."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

PACKAGES = ("nginx", "libnginx-mod-nchan")
MODULES = (
    "/usr/lib/nginx/modules/ngx_nchan_module.so",
    "/usr/lib64/nginx/modules/ngx_nchan_module.so",
)
SUBSCRIBE_PATH, PUBLISH_PATH = "/subscribe", "/publish"

# One worker: more would hand messages to each other, which costs more for each frame.
CONFIG = """
load_module {module};
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream redis {{ nchan_redis_server {redis_url}; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        keepalive_requests 1000000;
        location = {subscribe_path} {{
            nchan_subscriber websocket;
            nchan_channel_id {channel};
            nchan_subscriber_first_message newest;
            nchan_redis_pass redis;
        }}
        location = {publish_path} {{
            nchan_publisher http;
            nchan_channel_id {channel};
            nchan_message_timeout 5s;
            nchan_redis_pass redis;
        }}
    }}
}}
"""


def find() -> tuple[str, str] | None:
    """Return the paths of nginx and of nchan's module, or None where one is missing."""
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    module = next((path for path in MODULES if Path(path).is_file()), None)
    return (nginx, module) if nginx and module else None


def obtain() -> None:
    """Install both where this is a Debian and we may."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    print(f"  no nchan yet: apt-get install {' '.join(PACKAGES)}", flush=True)
    environment = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]
    with suppress(subprocess.SubprocessError):
        for command in (["apt-get", "update"], install):
            subprocess.run(command, check=True, env=environment, capture_output=True, timeout=300)


def write_config(folder: Path, module: str, port: int, redis_url: str, channel: str) -> Path:
    """Write a configuration into a folder of its own; return its path."""
    path = folder / "nginx.conf"
    text = CONFIG.format(
        module=module,
        user="root" if os.geteuid() == 0 else "nobody",
        folder=folder,
        redis_url=redis_url,
        port=port,
        channel=channel,
        subscribe_path=SUBSCRIBE_PATH,
        publish_path=PUBLISH_PATH,
    )
    path.write_text(text)
    return path
