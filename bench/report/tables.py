"""A table for each workload: a line for each contender."""

REFERENCE = 'nginx-lua'  # the contender that others are compared with


def of(results, workload):
    return _ready(results, workload) if workload.measure == 'ready' else _load(results, workload)


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


def _short(results):
    return results.titles.get(REFERENCE, REFERENCE).split(',')[0]


def _spread(figure, digits):
    return f'{figure.median:,.{digits}f} ({figure.least:,.{digits}f}–{figure.most:,.{digits}f})'


def _markdown(columns, lines):
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in [columns, ['---'] * len(columns), *lines]).replace('| ---', '|---').replace('--- |', '---|')
