"""PyOD's AutoEncoder on the tables of a folder: pyod_peer.py FOLDER OUT SEEDS. Scores and seconds as JSON files in OUT."""
import glob
import json
import os
import sys
import time

import numpy as np
import torch
from pyod.models.auto_encoder import AutoEncoder
from sklearn.preprocessing import StandardScaler

torch.set_num_threads(1)
folder, out, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3])
for path in sorted(glob.glob(os.path.join(folder, "*_x.npy"))):
    name = os.path.basename(path)[: -len("_x.npy")]
    rows = np.load(path).astype("float32")
    split = np.load(os.path.join(folder, f"{name}_split.npy"))
    for protocol in ("oneclass", "unsupervised"):
        for seed in range(min(seeds, split.shape[1])):
            inside = split[:, seed] == 1
            training, scored = (rows[inside], rows[~inside]) if protocol == "oneclass" else (rows, rows)
            scaler = StandardScaler().fit(training)
            training, scored = scaler.transform(training), scaler.transform(scored)
            model = AutoEncoder(random_state=seed, device="cpu", verbose=0)
            start = time.process_time()
            model.fit(training)
            fitted = time.process_time()
            scores = model.decision_function(scored)
            answer = {
                "fit": fitted - start,
                "score": time.process_time() - fitted,
                "scores": [float(score) for score in scores],
            }
            with open(os.path.join(out, f"{protocol}-{name}-{seed}.json"), "w") as file:
                json.dump(answer, file)
