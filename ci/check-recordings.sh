#!/bin/bash
# Checks recordings in a CI job: verifies them, or runs a new build of the guest in their worlds. Used by action.yml and ttvm.gitlab-ci.yml; docs/CI.md explains it.
#
#   ci/check-recordings.sh RECORDING...       files, directories or patterns
#
# Environment:
#   TTVM           the program; by default the one in PATH, else it is built from this repository (needs the .NET SDK)
#   TTVM_OUTPUT    where reports and the recordings of failed reruns go; by default ttvm-results
#   TTVM_SHARD     i/n: which part of the recordings; by default what the CI system says
#   TTVM_KERNEL    a new kernel: each recording is run again with it. What is expected of NAME.ttvm is in NAME.expect beside it
#   TTVM_INITRD    its initial RAM disk
#
# Exit status: 0 all is well, 1 something differs or is not as expected, 2 wrong usage, 3 a file is missing or damaged.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${TTVM_OUTPUT:-ttvm-results}
[ $# -gt 0 ] || { echo "usage: check-recordings.sh RECORDING..." >&2; exit 2; }

find_ttvm() {
    if [ -n "${TTVM:-}" ]; then echo "$TTVM"; return; fi
    if command -v ttvm; then return; fi
    local folder="${RUNNER_TEMP:-${TMPDIR:-/tmp}}/ttvm-build"
    dotnet publish "$root/src/Cli" -c Release -r linux-x64 --self-contained false -o "$folder" -v quiet -nologo >&2 || return
    echo "$folder/ttvm"
}

# Lines for whoever looks at the job's page.
summarise() { if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then printf '%s\n' "$@" >> "$GITHUB_STEP_SUMMARY"; fi; }

ttvm=$(find_ttvm) || { echo "check-recordings.sh: there is no ttvm in PATH, and it cannot be built" >&2; exit 2; }
mkdir -p "$output" || exit 3
status=0
worst() { if [ "$1" -gt "$status" ]; then status=$1; fi; }

if [ -z "${TTVM_KERNEL:-}" ]; then
    arguments=(verify "$@" --junit "$output/verify.xml")
    if [ -n "${TTVM_SHARD:-}" ]; then arguments+=(--shard "$TTVM_SHARD"); fi
    "$ttvm" "${arguments[@]}" | tee "$output/verify.txt"
    worst "${PIPESTATUS[0]}"
    summarise '### Recordings' '```' "$(cat "$output/verify.txt")" '```'
else
    # The same part of the same list, as verify deals it out.
    arguments=(verify "$@" --list)
    if [ -n "${TTVM_SHARD:-}" ]; then arguments+=(--shard "$TTVM_SHARD"); fi
    recordings=$("$ttvm" "${arguments[@]}") || exit
    summarise '### Reruns'
    while IFS= read -r recording; do
        [ -n "$recording" ] || continue
        name=$(basename "$recording" .ttvm)
        arguments=(rerun "$recording" --kernel "$TTVM_KERNEL" --junit "$output/$name.xml" -o "$output/$name.rerun.ttvm" --force)
        if [ -n "${TTVM_INITRD:-}" ]; then arguments+=(--initrd "$TTVM_INITRD"); fi
        if [ -f "${recording%.ttvm}.expect" ]; then arguments+=(--expect "${recording%.ttvm}.expect"); fi
        "$ttvm" "${arguments[@]}" | tee "$output/$name.txt"
        result=${PIPESTATUS[0]}
        worst "$result"
        # Only what went wrong is worth keeping.
        if [ "$result" -eq 0 ]; then rm -f "$output/$name.rerun.ttvm" "$output/$name.rerun.ttvm.bookmarks.json"; fi
        summarise '```' "$(cat "$output/$name.txt")" '```'
    done <<< "$recordings"
fi

if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "status=$status" >> "$GITHUB_OUTPUT"; fi
exit "$status"
