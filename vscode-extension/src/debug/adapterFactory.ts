import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { findServer } from '../server';

/** Starts `ttvm dap` for a launch; connects to what listens already for an attach. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
    constructor(private readonly context: vscode.ExtensionContext) { }

    createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
        const { request, port, pipe } = session.configuration as vscode.DebugConfiguration & { port?: number; pipe?: string };
        if (request === 'attach' && typeof pipe === 'string') return new vscode.DebugAdapterNamedPipeServer(pipe);
        if (request === 'attach' && typeof port === 'number') return new vscode.DebugAdapterServer(port, '127.0.0.1');
        const server = findServer(this.context.extensionPath);
        return new vscode.DebugAdapterExecutable(server.command, [...server.prefix, 'dap', ...this.logging()], { cwd: session.workspaceFolder?.uri.fsPath });
    }

    private logging(): string[] {
        const level = vscode.workspace.getConfiguration('ttvm').get<string>('logLevel', 'none');
        if (level === 'none') return [];
        const folder = this.context.logUri.fsPath;
        fs.mkdirSync(folder, { recursive: true });
        return ['--log-level', level, '--log-file', path.join(folder, 'ttvm.log')];
    }
}
