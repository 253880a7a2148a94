# Owns the same training under Ray Train: one worker a GPU, on all nodes of a cluster that share this folder.
#
#   ray job submit --address http://HEAD:8265 -- python /SHARED/FOLDER/train_ray.py STAGE WORKERS STORAGE
import pathlib
import sys

from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.huggingface.transformers import prepare_trainer
from ray.train.torch import TorchTrainer

STAGES = ("teacher", "student", "distil")


def worker(given):
    # the worker starts in a folder of Ray's own; data, configuration and adapters are in the shared one
    sys.path.insert(0, given["folder"])
    import train

    train.main(given["stage"], prepare=prepare_trainer)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in STAGES or not sys.argv[2].isdigit():
        raise SystemExit("Use: python train_ray.py teacher|student|distil WORKERS STORAGE")
    stage, workers, storage = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    TorchTrainer(
        worker,
        train_loop_config={"stage": stage, "folder": str(pathlib.Path(__file__).resolve().parent)},
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=True),
        # a worker that is lost is started again, and the stage goes on from its last checkpoint
        run_config=RunConfig(name=f"rushlight-{stage}", storage_path=storage, failure_config=FailureConfig(max_failures=3)),
    ).fit()
