import pathlib
import re
import tomllib

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+?)"', (ROOT / "keras_indi" / "version.py").read_text()
).group(1)
PROJECT_URL = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "tool"
]["keras-indi"]["project_url"]

# CONTRIBUTING.md tells how the bounds of versions are found.
CLI = ["click>=8.2,<9", "pyyaml>=6,<7"]
TIFFFILE = "tifffile>=2026.3.3,<2027"
# Reads the compressed kinds of TIFF, of which these two first knew fax (CCITT).
IMAGECODECS = "imagecodecs>=2026.3.6,<2027"
DATA = [
    "pillow>=11.3,<14",
    TIFFFILE,
    IMAGECODECS,
    "opencv-python-headless>=5,<6",
    "grain>=0.2.18,<0.3",
    "scikit-image>=0.25,<0.27",
]
EVALUATION = [*DATA, "matplotlib>=3.10,<4"]
QUICKSTART = [*CLI, *EVALUATION]
TENSORBOARD = ["tensorboard>=2.21,<3"]
# tfds uses importlib_resources and does not say so. What it prepares as
# array_record is read without TensorFlow; SciPy reads the MATLAB files of SIDD.
TFDS = [
    *DATA,
    "tensorflow-datasets>=4.9.10,<5",
    "importlib_resources>=6,<8",
    "array_record>=0.8.6,<0.9; sys_platform != 'win32'",
    "scipy>=1.15,<2",
]
# Where presets are downloaded from: Hugging Face, Kaggle, Google Cloud Storage.
HUB_CLIENTS = ["huggingface_hub>=1,<3", "kagglehub>=1,<2"]
HUB = [*HUB_CLIENTS, "gcsfs>=2026.1,<2027"]
BIG = [TIFFFILE, IMAGECODECS, "zarr>=3.1.5,<4"]  # images through disk
HEIF = ["pillow-heif>=1.8,<2"]  # photographs of telephones
CV = ["keras-cv>=0.9,<0.10"]
# Brings protobuf 6, pillow 12 and pyarrow 25, where newer ones are out.
BEAM = ["apache-beam>=2.77,<3"]
# What writes ONNX, from TensorFlow: 38 MB.
ONNX_FILES = ["onnx>=1.23,<2"]
ONNX = ["tf2onnx>=1.17,<2", *ONNX_FILES]
ONNX_RUNTIME = ["onnxruntime>=1.32,<2"]  # 80 MB
OPENVINO = ["openvino>=2026.4,<2027"]  # 180 MB
PAGE = ["gradio>=6.31,<7"]
# What the command `tfds build` imports, and does not say.
TFDS_BUILD = ["mlcroissant>=1.1,<2"]
# What makes the notebooks of the tutorials, and what runs them.
NOTEBOOKS = ["nbformat>=5.10,<6", "nbclient>=0.10,<0.12", "ipykernel>=6.29,<8"]
# What makes the site of docs/.
DOCS = [
    "sphinx>=9,<10",
    "myst-nb>=1.4,<2",
    "furo>=2025.12,<2027",
    "latex2mathml>=3.81,<4",
]

setup(
    name="keras-indi",
    version=VERSION,
    description=(
        "Image restoration by Inversion by Direct Iteration (InDI), for Keras 3 "
        "on TensorFlow, JAX and PyTorch"
    ),
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The keras_indi developers",
    project_urls=(
        {
            "Source": PROJECT_URL,
            "Changelog": f"{PROJECT_URL}/blob/main/CHANGELOG.md",
            "Issues": f"{PROJECT_URL}/issues",
        }
        if PROJECT_URL
        else {}
    ),
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["keras_indi*"]),
    package_data={
        "keras_indi": ["py.typed"],
        "keras_indi.data.tfds": [
            "*/README.md",
            "*/CITATIONS.bib",
            "*/TAGS.txt",
        ],
        "keras_indi.presets": ["data/*/*"],
    },
    python_requires=">=3.11",
    install_requires=["keras>=3.15,<4", "numpy>=2.0,<3"],
    extras_require={
        # Backends: at least one.
        "tensorflow": ["tensorflow>=2.21,<3"],
        "jax": ["jax>=0.10.2,<0.11"],
        "torch": ["torch>=2.13,<2.14"],
        # Optional parts.
        "cli": CLI,
        "quickstart": QUICKSTART,
        "data": DATA,
        "evaluation": EVALUATION,
        "tensorboard": TENSORBOARD,
        "hub": HUB,
        "tfds": TFDS,
        "tfds-build": [*TFDS, *BEAM, *TFDS_BUILD],
        "cv": CV,
        "big": BIG,
        "heif": [*DATA, *HEIF],
        "beam": [*DATA, *BEAM],
        "onnx": ONNX,
        "onnxruntime": [*ONNX_FILES, *ONNX_RUNTIME],
        "openvino": [*ONNX, *OPENVINO],
        "page": [*QUICKSTART, *PAGE],
        "notebooks": NOTEBOOKS,
        "docs": DOCS,
        "test": [
            *QUICKSTART,
            *TENSORBOARD,
            *TFDS,
            *CV,
            *HUB_CLIENTS,  # whose functions' arguments the tests' fakes take
            *BIG,
            *NOTEBOOKS,
            *HEIF,
            *BEAM,
            *TFDS_BUILD,
            *PAGE,
            # Drives a browser, where the machine has one: apt-get install chromium.
            "playwright>=1.65,<2",
            *DOCS,
            *ONNX,
            *ONNX_RUNTIME,
            "dill>=0.4,<0.5",  # of tfds's DatasetBuilderTestCase
            "pytest>=8,<10",
            "pytest-xdist>=3.8,<4",
            "hypothesis>=6.150,<7",
            "ruff>=0.15,<0.18",
            "mypy>=2.4,<3",
        ],
    },
    entry_points={"console_scripts": ["keras-indi=keras_indi_cli.launcher:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
)
