"""Writes `dummy_data/`: tiny images in the layout of each official archive.

    python tests/data/tfds/make_dummy_data.py

Needs opencv-python-headless and scipy. Each pair is a smooth pattern of its own and
the same pattern, darker.
"""

import pathlib
import shutil
import zlib

import cv2
import numpy as np
from scipy.io import savemat

ROOT = pathlib.Path(__file__).parent / "dummy_data"
HEIGHT, WIDTH = 20, 24


def pattern(name, height=HEIGHT, width=WIDTH, dtype="uint8"):
    """An image of coarse blocks of colour, drawn from a name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    coarse = rng.integers(40, 256, (height // 4, width // 4, 3))
    fine = np.kron(coarse, np.ones((4, 4, 1))) * (257 if dtype == "uint16" else 1)
    return fine.astype(dtype)


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def write_pair(degraded, clean, gain=0.5, **kwargs):
    image = pattern(clean.relative_to(ROOT).as_posix(), **kwargs)
    write(clean, image)
    write(degraded, (gain * image).astype(image.dtype))


def gopro():
    frames = {
        "train/GOPR0372_07_00": ("000047", "000048"),
        "train/GOPR0374_11_00": ("000047",),
        "test/GOPR0384_11_00": ("000001", "000002"),
    }
    for sequence, numbers in frames.items():
        folder = ROOT / "gopro" / "GOPRO_Large" / sequence
        for number in numbers:
            sharp = folder / "sharp" / f"{number}.png"
            write_pair(folder / "blur" / f"{number}.png", sharp, 0.5)
            write_pair(folder / "blur_gamma" / f"{number}.png", sharp, 0.75)


def dpdd():
    # The wide and the narrow aperture of a scene are two photographs.
    numbers = {"train": (866, 871, 880), "val": (900,), "test": (916, 922)}
    for split, targets in numbers.items():
        folder = ROOT / "dpdd" / "dd_dp_dataset_canon" / f"{split}_c"
        for target in targets:
            write_pair(
                folder / "source" / f"1P0A{target + 1:04d}.png",
                folder / "target" / f"1P0A{target:04d}.png",
                dtype="uint16",
            )


def real_blur():
    root = ROOT / "real_blur" / "RealBlur"
    folders = {
        "J": "RealBlur-J_ECC_IMCORR_centroid_itensity_ref",
        "R": "RealBlur-R_BM3D_ECC_IMCORR_centroid_itensity_ref",
    }
    numbers = {"train": (("scene001", 1), ("scene001", 10)), "test": (("scene230", 2),)}
    for kind, folder in folders.items():
        for split, scenes in numbers.items():
            lines = []
            for scene, number in scenes:
                clean = f"{folder}/{scene}/gt/gt_{number}.png"
                blurred = f"{folder}/{scene}/blur/blur_{number}.png"
                write_pair(root / blurred, root / clean)
                lines.append(f"{clean} {blurred}\n")
            (root / f"RealBlur_{kind}_{split}_list.txt").write_text("".join(lines))


def sidd():
    root = ROOT / "sidd"
    scenes = ("0001_001_S6_00100_00060_3200_L", "0002_001_S6_00100_00020_3200_N")
    for scene in scenes:
        folder = root / "SIDD_Medium_Srgb" / "Data" / scene
        for number in ("010", "011"):
            write_pair(
                folder / f"{scene[:4]}_NOISY_SRGB_{number}.PNG",
                folder / f"{scene[:4]}_GT_SRGB_{number}.PNG",
            )
    clean = np.stack(
        [
            [pattern(f"block {image} {block}", 16, 16) for block in range(3)]
            for image in range(2)
        ]
    )
    for name, blocks in (
        ("ValidationGtBlocksSrgb", clean),
        ("ValidationNoisyBlocksSrgb", clean // 2),
    ):
        savemat(root / f"{name}.mat", {name: blocks}, do_compression=True)


def paired_folders():
    for depth in ("uint8", "uint16"):
        root = ROOT / f"paired_folders_{depth}"
        for name in ("train/{}/a", "train/{}/b", "train/{}/deep/a", "validation/{}/c"):
            write_pair(
                root / f"{name.format('degraded')}.png",
                root / f"{name.format('clean')}.png",
                dtype=depth,
            )


if __name__ == "__main__":
    shutil.rmtree(ROOT, ignore_errors=True)
    for make in (gopro, dpdd, real_blur, sidd, paired_folders):
        make()
