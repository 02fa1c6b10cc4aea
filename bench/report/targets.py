"""What is wanted, and what was measured."""
from dataclasses import dataclass


@dataclass
class Target:
    """A ratio of two medians, or a figure by itself, and its bound."""

    what: str
    figure: str
    of: tuple  # workload, contender
    to: tuple | None = None
    least: float | None = None
    most: float | None = None
    unit: str = '×'

    def measured(self, results):
        if self.to:
            return results.ratio(self.figure, self.of, self.to)
        figure = results.figure(*self.of, self.figure)
        return figure and figure.median

    def row(self, results):
        value = self.measured(results)
        wanted = f'≥ {self.least:g} {self.unit}' if self.least else f'≤ {self.most:g} {self.unit}' if self.most else 'no bound'
        if value is None:
            return f'| {self.what} | {wanted} | not measured | – |'
        digits = 0 if value >= 100 else 2
        met = '–' if not (self.least or self.most) else 'yes' if value >= (self.least or 0) and value <= (self.most or value) else '**no**'
        return f'| {self.what} | {wanted} | {value:,.{digits}f} {self.unit} | {met} |'


def all_targets():
    in_memory = {'all-in-one': 'one process', 'two-processes': 'gateway + silo'}
    off = {'two-processes-no-copies': 'gateway + silo, no copies'}
    everything = in_memory | off
    for connections in (64, 256):
        workload = f'uniform-{connections}'
        for contender, title in in_memory.items():
            which = (workload, contender), (workload, 'nginx-lua')
            yield Target(f'Hits over HTTP, {connections} connections, {title}: requests/s beside nginx + Lua', 'rate', *which, least=1.0)
            yield Target('… CPU/request', 'cpu', *which, most=1.0)
        for contender, title in off.items():
            which = (workload, contender), (workload, 'webdis')
            yield Target(f'Hits over HTTP, {connections} connections, {title}: requests/s beside webdis', 'rate', *which, least=1.15 if connections == 64 else 1.25)
            yield Target('… CPU/request', 'cpu', *which, most=0.7)
    for contender, title in (everything | {'five-processes': '2 gateways + 3 silos', 'five-processes-no-copies': '2 gateways + 3 silos, no copies'}).items():
        least = None if contender.endswith('no-copies') else 0.95
        yield Target(f'One key with 90 % of the reads, {title}: requests/s beside all keys alike', 'rate', ('hot', contender), ('hot-beside', contender), least=least)
    for pipeline, from_copies, without in ((1, 0.95, 0.55), (16, 0.95, 0.55), (64, 1.1, 0.65)):
        for contender, title in everything.items():
            workload = f'resp-get-{pipeline}'
            name, least = ('no-copies', without) if contender in off else (contender, from_copies)  # the name is bench/resp's
            yield Target(f'`GET` over the Redis protocol, pipeline {pipeline}, {title}: requests/s beside redis-server', 'rate', (workload, name), (workload, 'redis'), least=least)
    for contender, title in everything.items():
        most = None if contender in off else 1.5
        yield Target(f'p99.9 at half of the most that nginx + Lua answers, {title}: beside nginx + Lua', 'p999', ('latency', contender), ('latency', 'nginx-lua'), most=most)
    for contender, title in everything.items():
        yield Target(f'Batches of 100 keys, {title}: keys/s beside single reads', 'keys_per_second', ('batch-100', contender), ('uniform-64', contender), least=8)
    yield Target('CPU for a read with eight nodes, beside one', 'cpu', ('nodes', 'eight-nodes'), ('nodes', 'two-processes'), most=1.1)
    yield Target('… no copies', 'cpu', ('nodes-no-copies', 'eight-nodes-no-copies'), ('nodes-no-copies', 'two-processes-no-copies'), most=1.5)
    for contender, title in {'two-processes': 'gateway + silo', 'two-processes-no-copies': 'no copies'}.items():
        yield Target(f'Longest pause of a process in ten minutes with ten million entries, {title}', 'pause_longest', ('pauses', contender), most=10, unit='ms')
    for contender, title in in_memory.items():
        yield Target(f'From the start of a process to its first right answer, {title}', 'ready', ('ready', contender), most=1500, unit='ms')


def table(results):
    """Those of workloads that were not run are only counted."""
    targets = list(all_targets())
    rows = [target.row(results) for target in targets if results.has(target.of[0])]
    left_out = len(targets) - len(rows)
    lines = ['| what | wanted | measured | met |', '|---|---|---|---|', *rows]
    return '\n'.join(lines + ([f'\n{left_out} more were not measured.'] if left_out else []))
