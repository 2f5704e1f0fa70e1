#!/bin/bash
# Builds the extension with the debug server inside: artifacts/vscode-extension/ttvm-TARGET.vsix.
#
#   vscode-extension/package.sh             for this machine
#   vscode-extension/package.sh --install   and installs it into VS Code (`code` has to be on the PATH)
#
# Needs the .NET 10 SDK and Node.js 18 or newer with npm. The server is self-contained: where it is installed, nothing else is needed.
set -euo pipefail
cd "$(dirname "$0")"

command -v dotnet >/dev/null || { echo "package.sh: needs the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0" >&2; exit 1; }
command -v npm >/dev/null || { echo "package.sh: needs Node.js 18 or newer with npm: apt-get install nodejs npm" >&2; exit 1; }

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) target=linux-x64 ;;
    Linux-aarch64) target=linux-arm64 ;;
    Darwin-arm64) target=darwin-arm64 ;;
    Darwin-x86_64) target=darwin-x64 ;;
    MINGW*-x86_64 | MSYS*-x86_64) target=win32-x64 ;;
    *) echo "package.sh: there is no server for $(uname -s) on $(uname -m)" >&2; exit 1 ;;
esac
runtime=${target/darwin/osx}
runtime=${runtime/win32/win}

rm -rf server
dotnet publish ../src/Cli -c Release -r "$runtime" --self-contained -p:DebugType=none -p:GenerateDocumentationFile=false -v quiet -nologo -clp:NoSummary -o server
rm -f server/*.pdb server/createdump

[ -d node_modules ] || npm ci --silent --no-audit --no-fund
npm run --silent check
npm run --silent build

output=../artifacts/vscode-extension/ttvm-$target.vsix
mkdir -p "$(dirname "$output")"
npx --no-install vsce package --target "$target" --no-dependencies --allow-missing-repository --skip-license --out "$output" >/dev/null
echo "$(cd "$(dirname "$output")" && pwd)/$(basename "$output")"
if [ "${1:-}" = --install ]; then code --install-extension "$output" --force; fi
