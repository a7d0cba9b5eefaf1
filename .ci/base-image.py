"""A registry on the loopback interface that holds one image, 'base:1', of an empty layer: what an image is published onto where no registry can be reached.

Usage: base-image.py PORT, or base-image.py --check FOLDER for the image that was made, unpacked."""
import gzip
import hashlib
import http.server
import io
import json
import sys
import tarfile

if sys.argv[1] == "--check":
    with open(sys.argv[2] + "/manifest.json") as file:
        image = json.load(file)[0]
    with open(sys.argv[2] + "/" + image["Config"]) as file:
        settings = json.load(file)["config"]
    assert settings["Entrypoint"] == ["dotnet", "/app/joblib-silo.dll"], settings
    assert settings["User"] == "1654", settings
    assert sorted(settings["ExposedPorts"]) == ["11111/tcp", "30000/tcp", "8080/tcp"], settings
    sys.exit()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def described(kind, data):
    return {"mediaType": "application/vnd.docker." + kind, "size": len(data), "digest": digest(data)}


MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as archive:
    folder = tarfile.TarInfo("app")
    folder.type = tarfile.DIRTYPE
    archive.addfile(folder)
layer = gzip.compress(tar.getvalue(), mtime=0)
config = json.dumps({
    "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/usr/bin:/bin", "APP_UID=1654"]},
    "rootfs": {"type": "layers", "diff_ids": [digest(tar.getvalue())]}, "history": [{"created_by": "base"}],
}).encode()
manifest = json.dumps({
    "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
    "config": described("container.image.v1+json", config), "layers": [described("image.rootfs.diff.tar.gzip", layer)],
}).encode()
blobs = {digest(layer): layer, digest(config): config}


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.rstrip("/")
        is_manifest = "/manifests/" in path
        data = b"{}" if path == "/v2" else manifest if is_manifest else blobs.get(path.split("/")[-1])
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Type", MANIFEST_TYPE if is_manifest else "application/octet-stream")
        self.send_header("Content-Length", str(len(data or b"")))
        if is_manifest:
            self.send_header("Docker-Content-Digest", digest(manifest))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data or b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Registry).serve_forever()
