"""Times comparisons of models and reading them in turn, and prints medians; started by see.sh."""

import os
import statistics
import sys

import timing


def main():
    options = timing.options(runs=7).parse_args()
    a, b = (options.folder / f"sd15-{seed}.safetensors" for seed in (11, 12))
    blend = options.folder / "sd15-blend.safetensors"

    def cat(*files):
        return ["sh", "-c", 'cat "$@" > /dev/null', "-", *files]

    diff = [options.program, "diff", "--quiet"]
    # Each beside what it must read; targets are in multiples of that.
    cases = [
        ("diff of two models", [*diff, a, b], cat(a, b), 1.5),
        ("diff of a model with itself", [*diff, a, a], cat(a, a), 1.5),
        ("diff of three models", [*diff, a, b, blend], cat(a, b, blend), None),
        ("diff --explain", [*diff, "--explain", blend, a, b], cat(a, b, blend), None),
        ("ancestry of three models", [options.program, "ancestry", "--no-hash", a, b, blend],
         cat(a, b, blend), None),
        ("report of a model", [options.program, "report", "--format", "html", a], cat(a), 2),
        ("report --quick", [options.program, "report", "--quick", "--format", "html", a], cat(a),
         None),
        ("draw", [options.program, "draw"], cat(a), None),
    ]
    for path in (a, b, blend):
        timing.run(cat(path))
    times = {name: ([], []) for name, *_ in cases}
    for number in range(options.runs):
        for name, arguments, reading, _ in cases:
            times[name][0].append(timing.run(reading))
            times[name][1].append(timing.run(arguments, codes=(0, 1)))
            print(f"{number + 1}/{options.runs} {name}: {times[name][1][-1][0]:.2f} s",
                  file=sys.stderr)
    print(f"Models of {a.stat().st_size / 1e9:.2f} GB; median of {options.runs} runs, "
          f"{os.cpu_count()} processors.")
    print()
    print("| what | seconds | of cat | processor seconds, of cat's | target | peak memory |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, _, _, target in cases:
        base, own = ([statistics.median(column) for column in zip(*runs)] for runs in times[name])
        print(f"| {name} | {own[0]:.2f} | {own[0] / base[0]:.2f} | {own[1]:.2f}, "
              f"{own[1] / base[1]:.2f} | {f'≤ {target}' if target else ''} "
              f"| {own[2] / 1e6:,.0f} MB |")


main()
