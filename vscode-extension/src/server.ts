import * as fs from 'node:fs';
import * as path from 'node:path';
import { execFile } from 'node:child_process';
import * as vscode from 'vscode';

/** How the program `ttvm` is started: what comes before its own arguments. */
export interface ServerCommand { command: string; prefix: string[] }

/** The bundled `ttvm`, or what the setting `ttvm.server.path` names. Throws a sentence for the user when there is none. */
export function findServer(extensionPath: string): ServerCommand {
    const configured = vscode.workspace.getConfiguration('ttvm').get<string>('server.path', '').trim();
    if (configured) {
        if (!fs.existsSync(configured)) throw new Error(`The setting ttvm.server.path names ${configured}, which does not exist.`);
        return configured.endsWith('.dll') ? { command: 'dotnet', prefix: [configured] } : { command: configured, prefix: [] };
    }
    const bundled = path.join(extensionPath, 'server', process.platform === 'win32' ? 'ttvm.exe' : 'ttvm');
    if (!fs.existsSync(bundled))
        throw new Error('This copy of the extension contains no ttvm for this machine: build it with vscode-extension/package.sh, or set ttvm.server.path.');
    // Some ways of unpacking an extension lose the permission.
    if (process.platform !== 'win32' && !(fs.statSync(bundled).mode & 0o100)) fs.chmodSync(bundled, 0o755);
    return { command: bundled, prefix: [] };
}

/** Runs a verb of `ttvm` that answers with JSON. Fails with what it printed on standard error, unless it ends with one of the exit codes that are good. */
export function runJson<T>(server: ServerCommand, args: string[], good: number[] = [0]): Promise<T> {
    return new Promise((resolve, reject) => {
        execFile(server.command, [...server.prefix, ...args], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
            if (error && !good.includes(Number(error.code))) return reject(new Error(stderr.trim() || error.message));
            try {
                resolve(JSON.parse(stdout) as T);
            } catch {
                reject(new Error(`ttvm ${args[0]} answered with something that is not JSON.`));
            }
        });
    });
}
