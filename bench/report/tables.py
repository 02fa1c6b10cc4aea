"""A table for each workload: a line for each contender."""

REFERENCE = 'nginx-lua'  # the contender that others are compared with


def of(results, workload):
    return {'ready': _ready, 'pauses': _pauses}.get(workload.measure, _load)(results, workload)


def _load(results, workload):
    name = workload.name
    contenders = results.contenders(name)
    by_the_clock = any(results.figure(name, contender, 'wanted_rate') for contender in contenders)
    batches = name.startswith('batch')
    writes = name == 'writes'
    columns = ['what answers', 'requests/s']
    columns += ['keys/s'] if batches else []
    columns += [f'× {_short(results)}', 'CPU µs/request', f'× {_short(results)}', 'p50 ms', 'p99 ms', 'p99.9 ms']
    columns += ['p99.99 ms', 'longest ms'] if by_the_clock else []
    columns += ['reads out of date'] if writes else []
    columns += ['others %']
    lines = []
    for contender in contenders:
        def figure(what):
            return results.figure(name, contender, what)

        def ratio(what):
            found = results.ratio(what, (name, contender), (name, REFERENCE))
            return f'{found:.2f}' if found else '–'

        cells = [results.titles[contender], _spread(figure('rate'), 0)]
        cells += [f'{figure("keys_per_second").median:,.0f}'] if batches else []
        cells += [ratio('rate'), _spread(figure('cpu'), 1), ratio('cpu')]
        cells += [f'{figure(what).median:.2f}' for what in ('p50', 'p99')] + [_spread(figure('p999'), 2)]
        cells += [f'{figure(what).median:.1f}' for what in ('p9999', 'max')] if by_the_clock else []
        cells += [f'{figure("stale").median:,.0f}'] if writes else []
        cells += [f'{figure("others_share").median:.0f}']
        if figure('unsent').most > 0:
            cells[0] += ' (**does not keep up**)'
        lines.append(cells)
    return _markdown(columns, lines)


def _ready(results, workload):
    return _markdown(['what answers', 'ms'], [
        [results.titles[contender], _spread(results.figure(workload.name, contender, 'ready'), 0)]
        for contender in results.contenders(workload.name)])


def _pauses(results, workload):
    columns = ['what answers', 'requests/s', 'longest pause ms', 'pauses', 'together ms', 'p99 ms', 'p99.9 ms', 'p99.99 ms', 'longest request ms', 'largest process, resident MB']
    lines = []
    for contender in results.contenders(workload.name):
        def median(what, digits, scale=1):
            return f'{results.figure(workload.name, contender, what).median * scale:,.{digits}f}'

        lines.append([
            results.titles[contender], median('rate', 0), median('pause_longest', 2), median('pauses', 0), median('paused', 0),
            median('p99', 2), median('p999', 2), median('p9999', 1), median('max', 1), median('resident', 0, 1e-6)])
    return _markdown(columns, lines)


def _short(results):
    return results.titles.get(REFERENCE, REFERENCE).split(',')[0]


def _spread(figure, digits):
    return f'{figure.median:,.{digits}f} ({figure.least:,.{digits}f}–{figure.most:,.{digits}f})'


def _markdown(columns, lines):
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in [columns, ['---'] * len(columns), *lines]).replace('| ---', '|---').replace('--- |', '---|')
