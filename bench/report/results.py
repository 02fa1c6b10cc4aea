"""What was measured: for each workload and contender its runs, and of each figure the median and the spread."""
import json
from dataclasses import dataclass
from statistics import median


@dataclass
class Figure:
    """Of one figure over all rounds: the median, the least and the most."""

    median: float
    least: float
    most: float


@dataclass
class Workload:
    name: str
    title: str
    measure: str
    bytes: int


class Results:
    def __init__(self, path):
        self.machine = ''
        self.workloads = []
        self.titles = {}
        self._runs = {}
        with open(path, encoding='utf-8') as lines:
            for line in map(json.loads, lines):
                match line.get('about'):
                    case 'machine':
                        self.machine = line['text']
                    case 'contender':
                        self.titles[line['name']] = line['title']
                    case 'workload':
                        self._forget(line['name'])
                        self.workloads.append(Workload(line['name'], line['title'], line['measure'], line['bytes']))
                    case None:
                        self._runs.setdefault((line['workload'], line['contender']), []).append(line)

    def _forget(self, workload):
        """It was run again, and what it is compared with."""
        self.workloads = [other for other in self.workloads if other.name != workload]
        self._runs = {which: runs for which, runs in self._runs.items() if which[0] not in (workload, f'{workload}-beside')}

    def has(self, workload):
        """Whether anybody met it."""
        return any(name == workload for name, _ in self._runs)

    def contenders(self, workload):
        """Those that met it, in the order in which they took turns."""
        return [contender for name, contender in self._runs if name == workload]

    def figure(self, workload, contender, name):
        """None when it was not measured."""
        values = [run[name] for run in self._runs.get((workload, contender), []) if name in run]
        return Figure(median(values), min(values), max(values)) if values else None

    def ratio(self, name, of, to):
        """Of two medians, each of a (workload, contender); None when one was not measured."""
        figures = [self.figure(*which, name) for which in (of, to)]
        return figures[0].median / figures[1].median if all(figures) and figures[1].median else None
