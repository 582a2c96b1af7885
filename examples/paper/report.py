"""Write README.md beside this file: claim, figure and verdict of all experiments.

    python examples/paper/report.py

It reads `results/*/results.json`; a script that was not run has a line that says so.
"""

import json
import pathlib

from harness import HERE, write_text

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
}
HEAD = """# The paper's experiments

*Inversion by Direct Iteration* (Delbracio & Milanfar, TMLR 2023, [arXiv
2303.11435](https://arxiv.org/abs/2303.11435)): each experiment is one command, and has
been run at the scale that is said, with fixed seeds.

```bash
pip install "keras-indi[tensorflow,data,evaluation]"
python examples/paper/toy.py                                          # small
python examples/paper/jpeg.py --data DATA --weights alex=PATH         # photographs
python examples/paper/jpeg.py --scale full --data DATA                # the paper's
python examples/paper/run_all.py --data DATA \\
    --weights alex=PATH --weights inception768=PATH                   # all of them
```

The last runs all, goes on where one fails, and writes this page. Interrupted, the same
command goes on where it stopped: models and tables lie in `runs/paper`, a folder for
each trained model, named after all that its training depends on, so that experiments
share what they have in common. `KERAS_INDI_SMOKE=1` shows in seconds that a script
runs. From the paper are the loss (L1), the rate, the average (EMA 0.9999), the 500,000
steps and what noise the path carries; the sizes of networks, crops and batches at full
scale are ours. The figures, the protocol and the seeds of each run are in
`results/NAME/results.json`, and `python examples/paper/report.py` writes this page from
them. Steps are counted as calls of the network. All networks but the conditional
DDPM's see x_t and t alone, as the paper's.

A verdict is *shows*, *does not show*, or *not decidable at this scale*: where a claim
rests on a difference between models, that is at most twice its deviation over training
seeds.

| experiment | claim | verdict | found | figure |
|---|---|---|---|---|
"""


def rows(name, title):
    path = HERE / "results" / name / "results.json"
    if not path.exists():
        if (HERE / f"{name}.py").exists():
            yield f"{title} ([{name}.py]({name}.py))", "", "not run yet", "", ""
        return
    content = json.loads(path.read_text(encoding="utf-8"))
    first = f"{title} ([{name}.py]({name}.py), {content['scale']})"
    for claim in content["claims"]:
        link = claim["figure"] and f"[figure](results/{name}/{claim['figure']})"
        yield first, claim["claim"], claim["verdict"], claim["found"], link or ""
        first = ""


def page():
    lines, pictures = [], []
    for name, title in EXPERIMENTS.items():
        lines += ["| " + " | ".join(row) + " |" for row in rows(name, title)]
        folder = pathlib.Path("results", name)
        for path in sorted((HERE / folder).glob("*.png")):
            pictures.append(
                f"## {title}\n\n![{title}]({folder.as_posix()}/{path.name})"
            )
    return HEAD + "\n".join(lines) + "\n\n" + "\n\n".join(pictures) + "\n"


if __name__ == "__main__":
    write_text(HERE / "README.md", page())
