"""Plots of the same figures, as SVG that can be read on light and on dark ground."""
import textwrap

import matplotlib

matplotlib.use('svg')
import matplotlib.pyplot as plt  # noqa: E402

INK = '#808080'  # stands out from white and from black
OURS, COPYLESS, OTHERS = '#2a9d8f', '#7cc4bb', '#b08968'
LINES = ['#b08968', '#e76f51', '#9467bd', '#2a9d8f', '#4f8fd0', '#d4a017', '#d06fa8', '#6b9e3f', '#8c8c8c']
PERCENTILES = [('p50', '50'), ('p90', '90'), ('p99', '99'), ('p999', '99.9'), ('p9999', '99.99'), ('max', 'longest')]

plt.rcParams.update({
    'svg.hashsalt': 'rporleans', 'svg.fonttype': 'none', 'font.family': 'sans-serif', 'font.size': 9, 'axes.titlesize': 9,
    'text.color': INK, 'axes.labelcolor': INK, 'axes.edgecolor': INK, 'xtick.color': INK, 'ytick.color': INK, 'axes.titlecolor': INK,
    'axes.spines.top': False, 'axes.spines.right': False, 'figure.facecolor': 'none', 'axes.facecolor': 'none', 'savefig.facecolor': 'none',
    'legend.frameon': False,
})


def draw(results, folder):
    """Draws what was measured; yields the names of the files, and what is on them."""
    loads = [workload for workload in results.workloads if workload.measure == 'load']
    closed = [workload for workload in loads if not _by_the_clock(results, workload)]
    if closed:
        yield _bars(results, closed, 'rate', 1e-3, f'{folder}/throughput.svg', 'Thousand requests a second, in a closed loop; more is better')
        yield _bars(results, closed, 'cpu', 1, f'{folder}/cpu.svg', 'CPU of all server processes for a request, µs; less is better')
    for workload in loads:
        if _by_the_clock(results, workload):
            yield _delays(results, workload, f'{folder}/{workload.name}.svg')


def _by_the_clock(results, workload):
    return any(results.figure(workload.name, contender, 'wanted_rate') for contender in results.contenders(workload.name))


def _bars(results, workloads, name, scale, path, title):
    columns = 2
    rows = -(-len(workloads) // columns)
    heights = [max(len(results.contenders(workload.name)) for workload in workloads[row * columns:][:columns]) for row in range(rows)]
    figure, grid = plt.subplots(rows, columns, figsize=(11, sum(heights) * 0.24 + rows * 0.85 + 0.4), squeeze=False, height_ratios=heights, layout='constrained')
    for axes, workload in zip(grid.flat, workloads):
        contenders = results.contenders(workload.name)
        figures = [results.figure(workload.name, contender, name) for contender in contenders]
        medians = [figure.median * scale for figure in figures]
        spread = [[(figure.median - figure.least) * scale for figure in figures], [(figure.most - figure.median) * scale for figure in figures]]
        axes.barh(range(len(contenders)), medians, xerr=spread, color=[_colour(contender, results) for contender in contenders], ecolor=INK, error_kw={'linewidth': 1})
        axes.set_yticks(range(len(contenders)), [results.titles[contender] for contender in contenders])
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_title(textwrap.fill(workload.title, 42), loc='left')
    for axes in list(grid.flat)[len(workloads):]:
        axes.set_visible(False)
    figure.suptitle(title)
    return _save(figure, path, title)


def _delays(results, workload, path):
    figure, axes = plt.subplots(figsize=(11, 4.5), layout='constrained')
    for number, contender in enumerate(results.contenders(workload.name)):
        heights = [results.figure(workload.name, contender, name).median for name, _ in PERCENTILES]
        axes.plot(range(len(PERCENTILES)), heights, marker='o', markersize=3, color=LINES[number % len(LINES)],
                  linestyle='-' if contender not in _ours(results) else '--' if 'no-copies' in contender else '-', label=results.titles[contender])
    rate = max(results.figure(workload.name, contender, 'wanted_rate').median for contender in results.contenders(workload.name))
    title = f'Delay in ms by percentile, at {rate:,.0f} requests a second; less is better'
    axes.set_xticks(range(len(PERCENTILES)), [label for _, label in PERCENTILES])
    axes.set_yscale('log')
    axes.grid(axis='y', color=INK, alpha=0.3)
    axes.yaxis.set_major_formatter('{x:g}')
    axes.legend(loc='center left', bbox_to_anchor=(1, 0.5), fontsize=8)
    axes.set_title(title, loc='left')
    return _save(figure, path, title)


def _ours(results):
    return [name for name, title in results.titles.items() if title.startswith('RpOrleans')]


def _colour(contender, results):
    return OTHERS if contender not in _ours(results) else COPYLESS if 'no-copies' in contender else OURS


def _save(figure, path, title):
    figure.savefig(path, transparent=True, metadata={'Date': None})
    plt.close(figure)
    return path.rsplit('/', 1)[-1], title
