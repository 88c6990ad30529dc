#!/usr/bin/env python3
"""Draws what postgres.sh measured: `./postgres.sh | tee log && ./chart.py < log > postgres.svg`.

Durable steps a second by workflows in flight, on a logarithmic scale, one line an engine, and the rate of single-row
inserts as a line of its own. Needs nothing but Python's standard library.
"""
import html
import math
import re
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 70, 150, 50, 50
COLOURS = {"augmented": "#0b6e4f", "dbos": "#b5541c", "durare": "#3a5fa0", "duroxide": "#8a4f9e", "inserts": "#777777"}
NAMES = {"augmented": "Augmented", "dbos": "DBOS", "durare": "durare", "duroxide": "duroxide-pg", "inserts": "single-row inserts (pgbench)"}


def medians(lines):
    """Steps a second by engine and load, from the section `medians`."""
    found, inside = {}, False
    for line in lines:
        if line.strip() in ("medians", "ratios"):
            inside = line.strip() == "medians"
        row = re.match(r"\s+(\w+)\s+(\d+)\s+([\d.]+)/s", line)
        if inside and row and float(row[3]) > 0:
            found.setdefault(row[1], {})[int(row[2])] = float(row[3])
    return found


def draw(rates):
    loads = sorted({load for name, by in rates.items() if name != "inserts" for load in by})
    values = [rate for by in rates.values() for rate in by.values()]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
    x = {load: LEFT + index * (WIDTH - LEFT - RIGHT) / max(len(loads) - 1, 1) for index, load in enumerate(loads)}
    y = lambda rate: HEIGHT - BOTTOM - (math.log10(rate / low) / math.log10(high / low)) * (HEIGHT - TOP - BOTTOM)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Arial, sans-serif" font-size="12">',
           '<title>Durable steps a second on PostgreSQL</title>',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="26" font-size="16">Durable steps a second on PostgreSQL, workflows of three steps</text>',
           f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">workflows in flight</text>']
    grid = low
    while grid <= high:
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(grid):.1f}" y2="{y(grid):.1f}" stroke="#dddddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(grid) + 4:.1f}" text-anchor="end">{grid:,.0f}</text>'.replace(",", " "))
        grid *= 10
    for load in loads:
        out.append(f'<text x="{x[load]:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{load}</text>')
    labels = []
    for name, by in rates.items():
        colour, label = COLOURS.get(name, "#000000"), html.escape(NAMES.get(name, name))
        if name == "inserts":
            rate = by[max(by)]
            out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(rate):.1f}" y2="{y(rate):.1f}" stroke="{colour}" stroke-dasharray="5 4"/>')
            labels.append((y(rate), colour, label))
            continue
        points = " ".join(f"{x[load]:.1f},{y(rate):.1f}" for load, rate in sorted(by.items()))
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        for load, rate in sorted(by.items()):
            out.append(f'<circle cx="{x[load]:.1f}" cy="{y(rate):.1f}" r="3.5" fill="{colour}"><title>{label}, {load} in flight: {rate:,.0f}/s</title></circle>')
        labels.append((y(by[max(by)]), colour, label))
    last = -99.0
    for place, colour, label in sorted(labels):
        last = max(place, last + 15)
        words = [label] if len(label) < 22 else [label.rsplit(" ", 1)[0], label.rsplit(" ", 1)[1]]
        for index, word in enumerate(words):
            out.append(f'<text x="{WIDTH - RIGHT + 10}" y="{last + 4 + index * 14:.1f}" fill="{colour}">{word}</text>')
        last += 14 * (len(words) - 1)
    return "\n".join([*out, "</svg>"])


rates = medians(sys.stdin)
if not rates:
    sys.exit("no section `medians` on standard input: pipe the output of postgres.sh in")
print(draw(rates))
