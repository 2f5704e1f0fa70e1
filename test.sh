#!/bin/bash
# Runs all tests.
#
#   ./test.sh           everything: installs what the tests need (as root; else it prints the command), builds once, runs all projects
#   ./test.sh --quick   the quick lane: no test of the category Slow, nothing is installed or fetched
#
# The last line is `N passed, N failed`. Exit status 0 only if some tests ran and all of them passed.
set -uo pipefail
cd "$(dirname "$0")"

quick=
case "${1:-}" in
    '') ;;
    --quick) quick=1 ;;
    *) echo "usage: ./test.sh [--quick]" >&2; exit 2 ;;
esac

stop() { echo "test.sh: $*" >&2; echo "0 passed, 1 failed"; exit 1; }

command -v dotnet >/dev/null || stop "needs the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0"

# program:package
tools=(gcc:gcc g++:g++ ld:binutils make:make patch:patch nasm:nasm gdb:gdb dwz:dwz qemu-system-x86_64:qemu-system-x86 cpio:cpio
    lz4:lz4 xz:xz-utils zstd:zstd bzip2:bzip2 mke2fs:e2fsprogs iasl:acpica-tools wine:wine node:nodejs npm:npm)
if [ -z "$quick" ]; then
    packages=()
    for tool in "${tools[@]}"; do
        command -v "${tool%%:*}" >/dev/null || packages+=("${tool#*:}")
    done
    # glibc's debug file, a large sample for the DWARF reader, is no program.
    [ -d /usr/lib/debug/.build-id ] || packages+=(libc6-dbg)
    if [ ${#packages[@]} -gt 0 ]; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "test.sh: installing ${packages[*]}"
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null ||
                stop "apt-get install ${packages[*]} failed"
        else
            echo "test.sh: some tests need: sudo apt-get install --no-install-recommends ${packages[*]}" >&2
        fi
    fi
    git ls-files '*package-lock.json' 2>/dev/null | while read -r lock; do
        folder=$(dirname "$lock")
        [ -d "$folder/node_modules" ] || { echo "test.sh: npm ci in $folder"; npm ci --silent --no-audit --no-fund --prefix "$folder"; } || exit 1
    done || stop "npm ci failed"
    make -s -C guests || stop "the guests do not build"
    guests/fetch-debian.sh || stop "Debian's kernels cannot be fetched"
    guests/make-initramfs.sh || stop "the initramfs cannot be made"
    tests/Extension.Tests/setup.sh || stop "VS Code for the extension's tests cannot be installed"
    export TTVM_REQUIRE_ALL=1
fi

dotnet build Debugger.sln -c Release -v quiet -nologo -clp:NoSummary || stop "the build failed"

results=artifacts/test-results
rm -rf "$results" && mkdir -p "$results"
passed=0 failed=0 skipped=0
attribute() { sed -n "s/.*<assembly [^>]*\b$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -1; }
for project in tests/*.Tests/*.Tests.csproj; do
    name=$(basename "$project" .csproj)
    xml=$results/$name.xml
    echo "== $name"
    timeout 3600 dotnet "artifacts/bin/$name/release/$name.dll" -noLogo -noColor -xml "$xml" ${quick:+-trait- Category=Slow}
    status=$?
    good=0 bad=0
    if [ -s "$xml" ]; then
        good=$(attribute "$xml" passed); bad=$(attribute "$xml" failed); errors=$(attribute "$xml" errors); omitted=$(attribute "$xml" skipped)
        bad=$((${bad:-0} + ${errors:-0}))
        passed=$((passed + ${good:-0})); failed=$((failed + bad)); skipped=$((skipped + ${omitted:-0}))
    fi
    # A crash or a hang has no failed test to its name.
    if [ $status -ne 0 ] && [ $bad -eq 0 ] && ! { [ -n "$quick" ] && [ "${good:-0}" = 0 ] && [ -s "$xml" ]; }; then
        echo "test.sh: $name ended with status $status"
        failed=$((failed + 1))
    fi
done

[ $skipped -gt 0 ] && echo "$skipped skipped: see above for what they need"
echo "$passed passed, $failed failed"
[ $passed -gt 0 ] && [ $failed -eq 0 ]
