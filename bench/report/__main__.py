"""Makes tables, and plots, of what bench/run has written down.

    python3 bench/report RESULTS [--plots FOLDER]

RESULTS has a line of JSON for each run, and others that say what workloads and contenders are called.
"""
import argparse
import os

import tables
import targets
from results import Results

arguments = argparse.ArgumentParser(usage='python3 bench/report RESULTS [--plots FOLDER]')
arguments.add_argument('results')
arguments.add_argument('--plots')
given = arguments.parse_args()

results = Results(given.results)
print(targets.table(results))
if given.plots:
    import plots

    os.makedirs(given.plots, exist_ok=True)
    for name, title in plots.draw(results, given.plots):
        print(f'\n![{title}]({os.path.basename(given.plots)}/{name})')
for workload in results.workloads:
    print(f'\n### {workload.title}\n')
    print(tables.of(results, workload))
print(f'\n{results.machine}')
