"""Restore image files with Ray Data, on the cores of one machine or of a cluster.

    pip install ".[tensorflow,data]" "ray[data]"
    python examples/restore_with_ray.py photographs -o restored --preset jpeg

Writes what `keras-indi restore` writes; run it again to go on. Ray gives the files of a
lost worker to others. All machines of a cluster need the package and both folders.
"""

import argparse
import os

import ray

from keras_indi import load_restorer
from keras_indi.images import whole_files, whole_writes
from keras_indi.restoration import file_seed, restore_file
from keras_indi.restoration.failures import reason_of
from keras_indi.restoration.outputs import find_outputs


class RestoreOne:
    def __init__(self, preset, seed, steps):  # once a worker
        self.model, self.seed = load_restorer(preset), seed
        self.settings = {"num_steps": steps, "verbose": 0, "overwrite": True}

    def __call__(self, row):
        job, reason = row["item"], row["item"].problem or ""
        seed, (output,) = file_seed(self.seed, job.name), job.outputs
        try:  # what is there was written by a worker that was lost afterwards
            if not reason and not whole_files.is_whole(output):
                restore_file(self.model, job.source, output, seed=seed, **self.settings)
        except Exception as error:
            reason = reason_of(error)
        return {"source": str(job.source), "reason": reason}


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("folder", type=os.path.abspath)
parser.add_argument("-o", "--output", type=os.path.abspath, required=True)
parser.add_argument("--preset", required=True, help="a name, or an absolute path")
parser.add_argument("--steps", type=int)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--workers", type=int, default=2)
options = parser.parse_args()
jobs, done, _, failed = find_outputs([options.folder], options.output, existing="skip")
if jobs:
    outcomes = ray.data.from_items(jobs, override_num_blocks=len(jobs) // 16 + 1).map(
        RestoreOne,
        fn_constructor_args=(options.preset, options.seed, options.steps),
        compute=ray.data.ActorPoolStrategy(size=options.workers),
        num_cpus=0.5,  # of each worker; Ray's own tasks need some too
    )
    failed |= {o["source"]: o["reason"] for o in outcomes.iter_rows() if o["reason"]}
for path, reason in failed.items():
    print(f"Failed: {path}: {reason}")
print(f"{len(jobs)} files to restore, {len(failed)} failed; {len(done)} were skipped")
for folder in {job.outputs[0].parent for job in jobs}:
    whole_writes.remove_left_overs(folder)  # of workers that were lost
raise SystemExit(bool(failed))
