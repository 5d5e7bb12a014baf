import sys

from tests.runner import run_all

if __name__ == "__main__":
    sys.exit(run_all("tests.bench", "bench_", sys.argv[1:]))
