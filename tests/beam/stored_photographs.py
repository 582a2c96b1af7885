"""A folder of photographs of many kinds, and a file system that is no disk."""

import io

import numpy as np
import tifffile
from apache_beam.io import filesystem
from helpers import smooth_images
from PIL import Image

from keras_indi.images.encoding import write_png

NAMES = ("a.png", "deep/b.jpg", "deep/er/c.tif", "d.png", "e.bmp", "f.png", "g.png")
RESULTS = [name.replace(".bmp", ".png") for name in NAMES]


def write_photographs(folder):
    """Writes images of several sizes, formats and depths by the names above."""
    for part in ("deep/er",):
        (folder / part).mkdir(parents=True, exist_ok=True)
    colours = smooth_images(1, 13, 10)[0].astype("uint8")
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    Image.fromarray(colours).save(folder / "a.png", dpi=(300, 300))
    Image.fromarray(smooth_images(1, 17, 12)[0].astype("uint8")).save(
        folder / "deep/b.jpg", exif=exif
    )
    tifffile.imwrite(folder / "deep/er/c.tif", colours, photometric="rgb")
    write_png(folder / "d.png", smooth_images(1, 13, 10, high=65535)[0].astype("u2"))
    Image.fromarray(colours[::-1]).save(folder / "e.bmp")
    grey = smooth_images(1, 40, 9, channels=1)[0].astype("uint8")
    Image.fromarray(grey[..., 0]).save(folder / "f.png")
    alpha = smooth_images(1, 14, 11, channels=4)[0].astype("uint8")
    Image.fromarray(alpha).save(folder / "g.png")
    return folder


def write_broken(folder):
    """Writes what cannot be restored; returns the names."""
    (folder / "broken").mkdir()
    (folder / "broken/1.jpg").write_bytes(b"no image")
    whole = io.BytesIO()
    Image.fromarray(np.zeros((30, 30), "uint8")).save(whole, "PNG")
    (folder / "broken/2.png").write_bytes(whole.getvalue()[:-30])
    return ["broken/1.jpg", "broken/2.png"]


class MemoryFileSystem(filesystem.FileSystem):
    """Files of this process, without folders, as those of object stores."""

    files: dict[str, bytes] = {}
    created: list[str] = []

    @classmethod
    def scheme(cls):
        return "memory"

    def join(self, basepath, *paths):
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path):
        folder, _, name = path.rpartition("/")
        return folder, name

    def mkdirs(self, path):
        raise NotImplementedError

    def has_dirs(self):
        return False

    def _list(self, dir_or_prefix):
        for path, content in sorted(self.files.items()):
            if path.startswith(dir_or_prefix):
                yield filesystem.FileMetadata(path, len(content), 0.0)

    def create(self, path, mime_type="", compression_type=None):
        self.created.append(path)
        files = self.files

        class Uploaded(io.BytesIO):
            def close(self):
                if not self.closed:
                    files[path] = self.getvalue()
                super().close()

        return Uploaded()

    def open(self, path, mime_type="", compression_type=None):
        return io.BytesIO(self.files[path])

    def copy(self, sources, destinations):
        for source, destination in zip(sources, destinations):
            self.files[destination] = self.files[source]

    def rename(self, sources, destinations):
        for source, destination in zip(sources, destinations):
            self.files[destination] = self.files.pop(source)

    def exists(self, path):
        return path in self.files

    def size(self, path):
        return len(self.files[path])

    def last_updated(self, path):
        return 0.0

    def checksum(self, path):
        return str(self.size(path))

    def metadata(self, path):
        return filesystem.FileMetadata(path, self.size(path), 0.0)

    def delete(self, paths):
        for path in paths:
            for found in self.match([path])[0].metadata_list:
                del self.files[found.path]
