"""Write README.md next to this file: claim, figure and verdict of all experiments.

    python examples/paper/report.py

It reads `results/*/results.json`. An experiment without results is listed as not run.
Findings beyond the scores are written by hand in `findings.md`.
"""

import collections
import json
import pathlib

from harness import HERE, SHOWS

from keras_indi.images.whole_writes import write_text

EXPERIMENTS = {
    "toy": "1. Toy",
    "gaussian_prior": "2. Gaussian prior",
    "motion_deblurring": "3. Motion deblurring",
    "super_resolution": "4. Super-resolution, 4 times",
    "defocus_deblurring": "5. Defocus deblurring",
    "jpeg": "6. JPEG at quality 15",
    "generation": "7. Generation from pure noise",
    "inference": "8. Inference algorithms",
    "time_distribution": "9. p(t)",
    "conditional_ddpm": "10. Conditional DDPM",
    "regression": "11. Regression",
    "error_accumulation": "12. Why many steps deteriorate",
    "conditioning": "Beyond the paper: conditioning on the degraded image",
    "posterior_mean_start": "Beyond the paper: a start from the posterior mean",
    "student": "Beyond the paper: a student of one step",
    "start_time": "Beyond the paper: a later start for milder degradations",
}
# From the paper's claims to the beginnings of the tested claims.
PAPER = {
    "One step has the best PSNR": ["One step, the regression", "One step has the best"],
    "More steps have better perceptual scores, up to a point": ["More steps are"],
    "Noise helps deterministic degradations": ["Noise on the path", "Constant noise"],
    "Constant and Brownian noise help alike": ["Brownian noise", "Constant and Brown"],
    "A bias of p(t) towards t = 1 helps": ["A bias"],
    "InDI's algorithm is better than naive": [
        "Algorithm 1 is better than naive",
        "Algorithm 1 generates better than naive",
    ],
    "InDI's algorithm is better than Cold Diffusion": [
        "Algorithm 1 is better than Cold Diffusion",
        "Algorithm 1 generates better than Cold Diffusion",
    ],
    "InDI takes far fewer steps than the conditional DDPM": ["InDI needs far fewer"],
    "Pure noise generates": ["Pure noise generates"],
    "One step is as good as a regression": ["One step (InDI"],
}
HEAD = """# The paper's experiments

Reproduction of *Inversion by Direct Iteration* (Delbracio & Milanfar, TMLR 2023, [arXiv
2303.11435](https://arxiv.org/abs/2303.11435)). Each experiment is one command. The
results below state the scale of each run; seeds are fixed.

```bash
pip install ".[tensorflow,data,evaluation]"
python examples/paper/toy.py                                          # small
python examples/paper/jpeg.py --data DATA --weights alex=PATH         # photographs
python examples/paper/jpeg.py --scale medium --data DATA --weights alex=PATH  # hours
python examples/paper/jpeg.py --scale full --data DATA                # the paper's
python examples/paper/run_all.py --data DATA \\
    --weights alex=PATH --weights inception768=PATH                   # all of them
```

The last command runs all experiments, even if one fails, and writes this page. After an
interruption, the same command continues where it stopped. Models and tables are in
`runs/paper`, with one folder for each trained model, named after its settings, so
that experiments share models. Set `KERAS_INDI_SMOKE=1` to check in seconds that a
script runs.

The small scale trains half a million parameters for 2,000 steps. The medium scale
trains the network and optimizer of the shipped presets (3.6 million parameters, Muon)
for 20,000 steps of eight crops at a fixed rate, with a = 2 in p(t) where p(t) is not
the question. It is measured after 2,000, 5,000 and 10,000 steps, too, to show where a
claim is heading.

At full scale, the loss (L1), the learning rate, the weight average (EMA 0.9999), the
500,000 steps and the noise of the path are those of the paper. The sizes of networks,
crops and batches at full scale are our own choice. `results/NAME/results.json` holds
the scores, the protocol and the seeds of each run, and `python
examples/paper/report.py` writes this page from them. Steps are counted as calls of the
network. All networks see only x_t and t, as in the paper. The exceptions are the
conditional DDPM and some networks of the experiment on conditioning, which also see y.

`DATA` is your folder of photographs. The experiments read these subfolders:

- `bsds500/train` and `bsds500/eval_cbsd68`, the training images of BSDS500, and CBSD68:
  all experiments at the small scale, except generation;
- `photographs/train`, `photographs/validation`, `city100/train/clean` and
  `bsds500/eval_cbsd68`: the medium scale;
- `city100/train` and `city100/eval`, each with the folders `degraded` and `clean`:
  super-resolution, and the experiments that compare its models;
- `gopro8/degraded` and `gopro8/clean`, some pairs of GoPro: motion deblurring;
- `utkface64/train` and `utkface64/heldout`, faces of 64x64 pixels: generation;
- `div2k/train` and `div2k/validation`, or `celeba64/train` and `celeba64/test` for
  generation: the full scale.

`PATH` is a file of converted weights; see [Evaluation](../../docs/evaluation.md).
Without `--weights`, they are downloaded.

A verdict is *shows*, *does not show*, or *not decidable at this scale*. A difference
is not decidable if it is at most twice its deviation: over training seeds at the small
scale, over photographs (bootstrap) at the medium scale, which trains each model once.
"""


def results():
    """Return a dict from finished experiments to their results."""
    found = {}
    for name in EXPERIMENTS:
        path = HERE / "results" / name / "results.json"
        if path.exists():
            found[name] = json.loads(path.read_text(encoding="utf-8"))
    return found


def verdicts(experiments, beginnings):
    """Yield the verdicts on a claim, each with its experiments."""
    found = {}
    for name, content in experiments.items():
        for claim in content["claims"]:
            if claim["claim"].startswith(tuple(beginnings)):
                counts = found.setdefault(claim["verdict"], collections.Counter())
                counts[name] += 1
    for verdict, counts in sorted(found.items(), key=lambda item: item[0] != SHOWS):
        where = [
            name.replace("_", " ") + (f" ({count} claims)" if count > 1 else "")
            for name, count in counts.items()
        ]
        yield f"*{verdict}*: {', '.join(where)}"
    if not found:
        yield "not run yet"


# Alternative texts of the figures, by file name.
ALTERNATIVE = {
    "curves": "scores against the number of network calls, a line for each model",
    "pictures": "rows of images: degraded, restored by each model, and clean",
    "paths": "points in the plane on their paths to four clean points",
    "gaussian_prior": "solutions and end distributions in 1, 4 and 512 steps, and the "
    "errors of four samplers against the number of steps",
    "states": "over t, the squared error of F on true and on own states, the power of "
    "own states, and the share of an error that F keeps, a column for each problem",
    "training": "over the steps of training, the validation losses and the differences "
    "that the claims rest on",
    "cures": "LPIPS against the number of steps, for each time shift and training",
}


def rows(name, title, content):
    """Yield the rows of an experiment in the long table."""
    if content is None:
        yield f"{title} ([{name}.py]({name}.py))", "", "not run yet", "", ""
        return
    first = f"{title} ([{name}.py]({name}.py), {content['scale']})"
    for claim in content["claims"]:
        link = claim["figure"] and f"[figure](results/{name}/{claim['figure']})"
        found = claim["found"] + over_training(claim, content["config"])
        yield first, claim["claim"], claim["verdict"], found, link or ""
        first = ""


def over_training(claim, config):
    """What a claim's difference was after fewer steps of training, in words."""
    earlier = claim.get("over_training")
    if not earlier:
        return ""
    gaps = {**earlier, config["budget"]["steps"]: claim["gap"]}
    steps = ", ".join(f"{int(count):,}" for count in gaps)
    return (
        f" Difference after {steps} steps of training: "
        f"{', '.join(f'{gap:+.2g}' for gap in gaps.values())}."
    )


def evidence(measured):
    """Yield the tables of the frontier and the controls of an experiment."""
    if "frontier" in measured:
        lines = []
        for line, losses in measured["frontier"].items():
            for loss, metrics in losses.items():
                cells = [f"{score:.4g}, {calls}" for score, calls in metrics.values()]
                lines.append((line, loss, *cells))
        head = [f"{name}, calls" for name in metrics]
        yield table(("model", "dB below one call, at most", *head), lines)
    if "controls" in measured:
        lines = []
        for line, found in measured["controls"].items():
            systems = {key: row for key, row in found.items() if key != "calls"}
            for system, metrics in systems.items():
                cells = [
                    f"{mean:+.3g} ({low:+.3g} to {high:+.3g})"
                    for mean, low, high in metrics.values()
                ]
                lines.append((line, f"{found['calls']} calls against {system}", *cells))
        yield table(("model", "difference, 95 % over photographs", *metrics), lines)


def page():
    experiments = results()
    short = [
        (claim, "; ".join(verdicts(experiments, beginnings)))
        for claim, beginnings in PAPER.items()
    ]
    lines, pictures = [], []
    for name, title in EXPERIMENTS.items():
        lines += rows(name, title, experiments.get(name))
        folder = pathlib.Path("results", name)
        found = [
            f"![{title}: {ALTERNATIVE[path.stem]}]({folder.as_posix()}/{path.name})"
            for path in sorted((HERE / folder).glob("*.png"))
        ]
        found += evidence(experiments.get(name, {}).get("measured", {}))
        if found:
            pictures += [f"### {title}", *found]
    parts = [
        HEAD.strip(),
        "## Verdicts",
        table(("claim of the paper", "verdict"), short),
        (HERE / "findings.md").read_text(encoding="utf-8").strip(),
        "## Figures",
        table(("experiment", "claim", "verdict", "found", "figure"), lines),
        *pictures,
    ]
    return "\n\n".join(parts) + "\n"


def table(head, lines):
    return "\n".join(
        "| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines)
    )


if __name__ == "__main__":
    write_text(HERE / "README.md", page())
