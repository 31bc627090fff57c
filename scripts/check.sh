#!/usr/bin/env bash
# What to run before a commit: format, lints and tests. .ci/run does this and more.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check
cargo clippy --all-targets -- -D warnings
cargo test
